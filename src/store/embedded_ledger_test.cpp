#include "store/embedded_ledger.h"

#include "base/clock.h"
#include "base/temp_dir.h"
#include "store/embedded_directory.h"
#include "store/ledger_contract.h"

namespace parley::store {
namespace {

const SystemClock kClock;

std::unique_ptr<Ledger> open(const TempDir& folder) {
    const auto directory = EmbeddedDirectory::open(folder.path(), kClock);
    EXPECT_TRUE(directory.has_value()) << (directory ? "" : directory.error().message);
    return directory ? (*directory)->ledger() : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Embedded, LedgerContract, testing::Values(LedgerMaker{[] {
                             static std::vector<std::unique_ptr<TempDir>> folders;
                             return open(*folders.emplace_back(std::make_unique<TempDir>()));
                         }}),
                         [](const auto&) { return "RocksDb"; });

TEST(EmbeddedLedger, RemembersAfterReopening) {
    const TempDir folder;
    ASSERT_TRUE(open(folder)->put({{"a", 0, "kept"}}));
    EXPECT_EQ((*open(folder)->row("a"))->value, "kept");
}

}  // namespace
}  // namespace parley::store
