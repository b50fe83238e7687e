#include "log/embedded_log.h"

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

}  // namespace

namespace contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, RoomLogContract, EmbeddedBackend);
}

}  // namespace parley::log
