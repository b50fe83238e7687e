#include "../tests/contract/listed_rooms.h"
#include "../tests/contract/room_log_contract.h"
#include "../tests/contract/shared_log_contract.h"
#include "adapters/mongo/database_fixture.h"
#include "adapters/mongo/mongo_log.h"

namespace parley {
namespace {

struct MongoBackend {
    std::unique_ptr<log::RoomLog> open(const Clock& clock) {
        auto log = mongo::MongoLog::open(mongo::open_pool(settings), {}, clock);
        EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().message);
        return log ? std::move(*log) : nullptr;
    }
    mongo::Settings settings = mongo::fresh_settings();
};

TEST(MongoLog, ListsRoomsOfClientsSinceATime) {
    ManualClock clock;
    MongoBackend backend;
    const auto log = backend.open(clock);
    ASSERT_NE(log, nullptr);
    const mongo::LogReader reader{mongo::open_pool(backend.settings), {}};
    log::contract::check_listed_rooms(
        *log, [&reader](const auto& after, auto since, auto limit) { return reader.rooms(after, since, limit); },
        clock);
}

}  // namespace

namespace log::contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Mongo, RoomLogContract, MongoBackend);
}
namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Mongo, SharedLogContract, MongoBackend);
}

}  // namespace parley
