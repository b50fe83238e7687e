#include "../tests/contract/listed_rooms.h"
#include "../tests/contract/room_log_contract.h"
#include "../tests/contract/shared_log_contract.h"
#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_log.h"

namespace parley {
namespace {

struct PostgresBackend {
    std::unique_ptr<log::RoomLog> open(const Clock& clock) {
        auto log = postgres::PostgresLog::open(postgres::open_pool(settings), {}, clock);
        EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().message);
        return log ? std::move(*log) : nullptr;
    }
    postgres::Settings settings = postgres::fresh_settings();
};

TEST(PostgresLog, ListsRoomsOfClientsSinceATime) {
    ManualClock clock;
    PostgresBackend backend;
    const auto log = backend.open(clock);
    ASSERT_NE(log, nullptr);
    const postgres::LogReader reader{postgres::open_pool(backend.settings)};
    log::contract::check_listed_rooms(
        *log, [&reader](const auto& after, auto since, auto limit) { return reader.rooms(after, since, limit); },
        clock);
}

}  // namespace

namespace log::contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, RoomLogContract, PostgresBackend);
}
namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SharedLogContract, PostgresBackend);
}

}  // namespace parley
