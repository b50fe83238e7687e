#include "log/embedded_log.h"

#include "../tests/contract/listed_rooms.h"
#include "../tests/contract/room_log_contract.h"
#include "base/temp_dir.h"

namespace parley::log {
namespace {

struct EmbeddedBackend {
    std::unique_ptr<RoomLog> open(const Clock& clock) {
        EmbeddedLogOptions options;
        options.data_dir = dir.path();
        auto log = EmbeddedLog::open(std::move(options), clock);
        EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().message);
        return log ? std::move(*log) : nullptr;
    }
    TempDir dir;
};

TEST(EmbeddedLog, ListsRoomsOfClientsSinceATime) {
    ManualClock clock;
    const TempDir dir;
    EmbeddedLogOptions options;
    options.data_dir = dir.path();
    const auto log = EmbeddedLog::open(std::move(options), clock);
    ASSERT_TRUE(log);
    contract::check_listed_rooms(
        **log, [&log](const auto& after, auto since, auto limit) { return (*log)->rooms(after, since, limit); }, clock);
}

}  // namespace

namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, RoomLogContract, EmbeddedBackend);
}

}  // namespace parley::log
