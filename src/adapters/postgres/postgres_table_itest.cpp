#include <thread>

#include "../tests/contract/message_table_contract.h"
#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_table.h"

namespace parley::log {
namespace {

struct PostgresTableBackend {
    std::unique_ptr<MessageTable> open(const Clock& /*clock*/) {
        return std::make_unique<postgres::PostgresTable>(postgres::open_pool(settings));
    }
    postgres::Settings settings = postgres::fresh_settings();
};

}  // namespace

namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, MessageTableContract, PostgresTableBackend);
}

}  // namespace parley::log

namespace parley::postgres {
namespace {

TEST(PostgresTable, ADatabaseThatBelongsToAnotherKindOfLogIsRefused) {
    const auto pool = std::shared_ptr{open_pool(fresh_settings())};
    ASSERT_TRUE(claim_for_log(*pool, kStoreLog));
    PostgresTable table{pool};
    const std::vector<log::Position> beginnings{{0, 0}};
    const auto claimed = table.claim({"c", "t", 1, 10}, beginnings);
    ASSERT_FALSE(claimed);
    EXPECT_THAT(claimed.error().message,
                testing::HasSubstr("belongs to log.kind=store, this server has log.kind=kafka"));
}

TEST(PostgresTable, TwoWritersOfOnePartitionDoNotDisturbEachOther) {
    const Settings settings = fresh_settings();
    const auto pool = std::shared_ptr{open_pool(settings)};
    PostgresTable table{pool};
    const std::vector<log::Position> beginnings{{0, 0}};
    ASSERT_TRUE(table.claim({"c", "t", 1, 10}, beginnings));
    const auto write_all = [&] {
        for (std::uint64_t n = 1; n <= 200; ++n) {
            auto message = std::make_shared<Message>();
            message->room = RoomId::trusted(n % 2 != 0 ? "r-b" : "r-a");
            message->seq = {(n + 1) / 2};
            message->id = MessageId::trusted(std::to_string(n));
            const std::vector<log::PlacedMessage> rows{{0, n, message}};
            const std::vector<log::Position> positions{{0, n + 1}};
            const auto stored = table.store(rows, positions);
            EXPECT_TRUE(stored.has_value()) << (stored ? "" : stored.error().message);
        }
    };
    std::thread other{write_all};
    write_all();
    other.join();
    EXPECT_EQ(table.head(RoomId::trusted("r-a"))->head.value, 100U);
    EXPECT_EQ(table.read(RoomId::trusted("r-b"), {0}, 1000, 1_MiB)->messages.size(), 100U);
    EXPECT_EQ(table.positions()->at(0).next, 201U);
}

}  // namespace
}  // namespace parley::postgres
