#include "adapters/kafka/topic_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>

namespace parley::kafka {
namespace {

constexpr std::size_t kMostAtOnce = 1000;

WallTime time_of(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type{};
    return WallTime{milliseconds{std::max<std::int64_t>(rd_kafka_message_timestamp(&message, &type), 0)}};
}

}  // namespace

InRecord record_of(const rd_kafka_message_t& message) {
    const auto text = [](const void* bytes, std::size_t size) {
        return std::string_view{static_cast<const char*>(bytes), bytes == nullptr ? 0 : size};
    };
    InRecord out;
    out.partition = static_cast<std::uint32_t>(message.partition);
    out.offset = static_cast<std::uint64_t>(message.offset);
    out.timestamp = time_of(message);
    out.key = text(message.key, message.key_len);
    out.value = text(message.payload, message.len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
        out.headers.push_back({name, text(value, size)});
    return out;
}

Result<std::unique_ptr<TopicReader>> TopicReader::open(const Settings& settings, std::span<const Start> starts) {
    std::unique_ptr<TopicReader> reader{new TopicReader};
    auto client = Client::open(Client::Kind::kConsumer, settings,
                               {{"auto.offset.reset", "error"},
                                {"enable.partition.eof", "true"},
                                {"fetch.wait.max.ms", "100"},
                                {"fetch.error.backoff.ms", "100"},
                                // What waits here unread, of all partitions together.
                                {"queued.max.messages.kbytes", "16384"}},
                               nullptr);
    if (!client) return fail(client.error());
    reader->client_ = std::move(*client);
    rd_kafka_t* const handle = reader->client_->get();
    reader->topic_ = rd_kafka_topic_new(handle, settings.topic.c_str(), nullptr);
    reader->queue_ = rd_kafka_queue_new(handle);
    for (const auto& [partition, offset] : starts) {
        if (rd_kafka_consume_start_queue(reader->topic_, static_cast<std::int32_t>(partition),
                                         static_cast<std::int64_t>(offset), reader->queue_) != 0)
            return fail(unavailable(
                fmt::format("partition {} cannot be read: {}", partition, rd_kafka_err2str(rd_kafka_last_error()))));
        reader->started_.push_back(partition);
        reader->caught_up_.resize(std::max<std::size_t>(reader->caught_up_.size(), partition + 1), false);
    }
    reader->to_catch_up_ = starts.size();
    return reader;
}

TopicReader::~TopicReader() {
    let_go();
    for (const auto partition : started_) rd_kafka_consume_stop(topic_, static_cast<std::int32_t>(partition));
    if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
}

void TopicReader::let_go() {
    for (auto* message : messages_) rd_kafka_message_destroy(message);
    messages_.clear();
    records_.clear();
}

Result<std::span<const InRecord>> TopicReader::read(milliseconds wait) {
    let_go();
    rd_kafka_poll(client_->get(), 0);
    messages_.resize(kMostAtOnce);
    const auto count =
        rd_kafka_consume_batch_queue(queue_, static_cast<int>(wait.count()), messages_.data(), kMostAtOnce);
    messages_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    for (const auto* message : messages_) {
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR: records_.push_back(record_of(*message)); break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
                const auto partition = static_cast<std::size_t>(message->partition);
                if (!caught_up_[partition]) --to_catch_up_;
                caught_up_[partition] = true;
                break;
            }
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
                return fail(
                    unavailable(fmt::format("partition {} has no offset {}: records were removed, or the topic "
                                            "was made anew",
                                            message->partition, message->offset)));
            default: break;  // a broker is away; librdkafka goes on by itself
        }
    }
    return std::span<const InRecord>{records_};
}

}  // namespace parley::kafka
