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

}  // namespace

namespace log::contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Mongo, RoomLogContract, MongoBackend);
}
namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Mongo, SharedLogContract, MongoBackend);
}

}  // namespace parley
