#include "../tests/contract/room_log_contract.h"
#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/kafka_log.h"

namespace parley::kafka {
namespace {
const auto* const kBrokerRuns = testing::AddGlobalTestEnvironment(&broker());
}

/// A log, its table and its writer, all of one server.
class WholeLog final : public log::RoomLog {
public:
    WholeLog(const Settings& settings, const std::string& folder, const Clock& clock)
        : table_(std::move(*log::EmbeddedTable::open(folder, clock))) {
        auto log = KafkaLog::open(settings, {}, *table_, clock);
        EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().message);
        log_ = std::move(*log);
        writer_ = std::move(*TableWriter::open(settings, {}, *table_));
    }
    void append_all(std::vector<log::Append> appends) override { log_->append_all(std::move(appends)); }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override {
        return log_->read(room, after, limit, max);
    }
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override {
        return log_->read_before(room, before, limit, max);
    }
    Result<log::RoomHead> head(const RoomId& room) override { return log_->head(room); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override { return log_->seek(room, time); }
    void on_commit(CommitListener listener) override { log_->on_commit(std::move(listener)); }

private:
    std::unique_ptr<log::EmbeddedTable> table_;
    std::unique_ptr<KafkaLog> log_;
    std::unique_ptr<TableWriter> writer_;
};

struct KafkaBackend {
    std::unique_ptr<log::RoomLog> open(const Clock& clock) {
        return std::make_unique<WholeLog>(settings, dir.path(), clock);
    }
    Settings settings = fresh_settings(broker().url());
    TempDir dir;
};

}  // namespace parley::kafka

namespace parley::log::contract {
INSTANTIATE_TYPED_TEST_SUITE_P(Kafka, RoomLogContract, kafka::KafkaBackend);
}
