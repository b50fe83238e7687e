#include "replays.h"

#include "adapters/kafka/topic_replay.h"
#include "gateway/rooms_replay.h"
#include "kafka_stores.h"

namespace parley::app {
namespace {

using gateway::ReplayRange;
using gateway::ReplaySource;
using Opened = Result<std::unique_ptr<ReplaySource>>;

/// The lines that `parley replay` prints.
class OfTopic final : public ReplaySource {
public:
    explicit OfTopic(std::unique_ptr<kafka::TopicReplay> topic) : topic_(std::move(topic)) {}
    Result<Page> read() override {
        Page page;
        kafka::TopicReplay::Tell tell = [&page](const kafka::ReplayedMessage& replayed) {
            page.lines += to_json(replayed);
            page.lines += '\n';
        };
        if (auto done = topic_->read(tell); !done) return fail(done.error());
        page.is_last = topic_->is_done();
        return page;
    }

private:
    std::unique_ptr<kafka::TopicReplay> topic_;
};

Opened open_topic(const kafka::Settings& settings, log::MessageTable& table, const ReplayRange& range) {
    auto topic = kafka::TopicReplay::open(settings, table,
                                          {.partition = range.partition,
                                           .from_offset = range.from_offset,
                                           .from_time = range.from_time,
                                           .to_offset = range.to_offset});
    if (!topic) return fail(topic.error());
    return Opened{std::make_unique<OfTopic>(std::move(*topic))};
}

Opened open_rooms(log::RoomLog& log, const log::ListRooms& list, const ReplayRange& range) {
    if (range.partition || !range.from_time)
        return fail(Code::kBadRequest, "partition: there are some only where messages are in Kafka");
    return Opened{std::make_unique<gateway::RoomsReplay>(log, list, *range.from_time)};
}

}  // namespace

Result<gateway::OpenReplay> open_replays(const Config& config, const Stores& stores) {
    if (stores.list_rooms) {
        return gateway::OpenReplay{[&log = *stores.log, list = stores.list_rooms](const ReplayRange& range) {
            return open_rooms(log, list, range);
        }};
    }
    auto settings = kafka_settings(config);
    if (!settings) return fail(settings.error());
    return gateway::OpenReplay{[settings = std::move(*settings), &table = *stores.table](const ReplayRange& range) {
        return open_topic(settings, table, range);
    }};
}

}  // namespace parley::app
