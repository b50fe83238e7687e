#include "log/embedded_table.h"

#include "../tests/contract/message_table_contract.h"
#include "base/temp_dir.h"

namespace parley::log {
namespace {

struct EmbeddedTableBackend {
    std::unique_ptr<MessageTable> open(const Clock& clock) {
        auto table = EmbeddedTable::open(dir.path(), clock);
        EXPECT_TRUE(table.has_value()) << (table ? "" : table.error().message);
        return table ? std::move(*table) : nullptr;
    }
    TempDir dir;
};

}  // namespace

namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, MessageTableContract, EmbeddedTableBackend);
}

TEST(EmbeddedTable, ASecondOpenIsRefusedInASentence) {
    const TempDir dir;
    const SystemClock clock;
    const auto first = EmbeddedTable::open(dir.path(), clock);
    ASSERT_TRUE(first);
    const auto second = EmbeddedTable::open(dir.path(), clock);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, testing::HasSubstr("the topic's messages in " + dir.path() + "/topic"));
}

TEST(EmbeddedTable, ARunningServersRowsCanBeRead) {
    const TempDir dir;
    const SystemClock clock;
    const auto running = EmbeddedTable::open(dir.path(), clock);
    ASSERT_TRUE(running);
    auto message = std::make_shared<Message>();
    message->room = RoomId::trusted("r-1");
    message->seq = {1};
    const std::vector<PlacedMessage> rows{{0, 1, message}};
    ASSERT_TRUE((*running)->store(rows, {}));
    const auto beside = EmbeddedTable::open_read_only(dir.path(), clock);
    ASSERT_TRUE(beside);
    EXPECT_EQ((*beside)->read(message->room, {0}, 10, 1_MiB)->messages.size(), 1U);
}

}  // namespace parley::log
