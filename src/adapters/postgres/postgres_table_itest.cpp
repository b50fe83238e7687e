#include <libpq-fe.h>

#include <memory>
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

TEST(PostgresTable, AServerThatStandsStillInMidCopyHoldsTheOthersForOneTryAtMost) {
    Settings settings = fresh_settings();
    settings.answer_limit = milliseconds{3'500};
    PostgresTable table{std::shared_ptr{open_pool(settings)}};
    const std::vector<log::Position> beginnings{{0, 0}};
    ASSERT_TRUE(table.claim({"c", "t", 1, 10}, beginnings));
    const std::unique_ptr<PGconn, void (*)(PGconn*)> stuck{PQconnectdb(settings.url.c_str()), &PQfinish};
    const std::string locks = "SET search_path TO \"" + settings.schema + "\"; BEGIN; SELECT FROM positions FOR UPDATE";
    PQclear(PQexec(stuck.get(), locks.c_str()));
    PGresult* const copying = PQexec(stuck.get(), "COPY messages (v) FROM STDIN (FORMAT binary); COMMIT");
    ASSERT_EQ(PQresultStatus(copying), PGRES_COPY_IN) << PQerrorMessage(stuck.get());
    PQclear(copying);
    auto message = std::make_shared<Message>();
    message->room = RoomId::trusted("r");
    message->seq = {1};
    const std::vector<log::PlacedMessage> rows{{0, 0, message}};
    const std::vector<log::Position> positions{{0, 1}};
    EXPECT_FALSE(table.store(rows, positions));
    const auto stored = table.store(rows, positions);
    EXPECT_TRUE(stored) << stored.error().message;
}

}  // namespace
}  // namespace parley::postgres
