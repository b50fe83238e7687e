#include "adapters/kafka/topic_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <functional>

#include "adapters/kafka/topic.h"
#include "base/logger.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kAskLimit{1'000};
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{1'000};
/// How long nothing is asked after a question, in times of what it took.
constexpr int kAskShare = 4;

WallTime time_of(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type{};
    return WallTime{milliseconds{std::max<std::int64_t>(rd_kafka_message_timestamp(&message, &type), 0)}};
}

std::size_t print_of(const InRecord& record) {
    std::size_t out = static_cast<std::size_t>(record.timestamp.time_since_epoch().count());
    const auto add = [&out](std::string_view text) {
        out = out * 1'099'511'628'211U + std::hash<std::string_view>{}(text);
    };
    add(record.key);
    add(record.value);
    for (const auto& [name, value] : record.headers) {
        add(name);
        add(value);
    }
    return out;
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

TopicReader::TopicReader(const Settings& settings) : settings_(settings) { settings_.connect_limit = kAskLimit; }

Result<std::unique_ptr<TopicReader>> TopicReader::open(const Settings& settings, std::span<const Start> starts) {
    std::unique_ptr<TopicReader> reader{new TopicReader{settings}};
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
    for (const Start& start : starts) {
        if (auto started = reader->start(start); !started) return fail(started.error());
    }
    return reader;
}

TopicReader::~TopicReader() {
    let_go();
    while (!partitions_.empty()) stop(partitions_.begin()->first);
    if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
}

Result<> TopicReader::fetch(std::uint32_t partition, std::uint64_t offset) {
    if (rd_kafka_consume_start_queue(topic_, static_cast<std::int32_t>(partition), static_cast<std::int64_t>(offset),
                                     queue_) == 0)
        return {};
    return fail(unavailable(
        fmt::format("partition {} cannot be read: {}", partition, rd_kafka_err2str(rd_kafka_last_error()))));
}

Result<> TopicReader::start(Start start) {
    if (auto fetching = fetch(start.partition, start.offset); !fetching) return fetching;
    partitions_.insert_or_assign(start.partition, Partition{.next = start.offset});
    return {};
}

void TopicReader::stop(std::uint32_t partition) {
    const auto found = partitions_.find(partition);
    if (found == partitions_.end()) return;
    if (found->second.in_doubt) --doubts_;
    partitions_.erase(found);
    rd_kafka_consume_stop(topic_, static_cast<std::int32_t>(partition));
}

Result<std::uint64_t> TopicReader::end_of(std::uint32_t partition) const {
    const auto kept = range_of(*client_, settings_, partition);
    if (!kept) return fail(kept.error());
    return kept->end;
}

std::string TopicReader::doubt() const {
    if (doubts_ == 0) return {};
    const auto first =
        std::find_if(partitions_.begin(), partitions_.end(), [](const auto& one) { return one.second.in_doubt; });
    return fmt::format("Kafka: the broker that answers for partition {} does not know offset {}; it is asked again",
                       first->first, first->second.next);
}

void TopicReader::begin_doubt(std::uint32_t number, Partition& partition) {
    // librdkafka fetches it no more.
    rd_kafka_consume_stop(topic_, static_cast<std::int32_t>(number));
    partition.between = std::clamp(2 * partition.between, kFirstPause, kLongestPause);
    partition.ask_at = steady_clock::now() + partition.between;
    if (partition.in_doubt) return;
    partition.in_doubt = true;
    if (++doubts_ == 1) logger::warn("kafka", doubt());
}

void TopicReader::end_doubt(std::uint32_t number, Partition& partition) {
    if (!partition.in_doubt) return;
    partition.in_doubt = false;
    partition.between = milliseconds{0};
    if (--doubts_ == 0) logger::info("kafka", "the offset is known again", {{"partition", number}});
}

/// One question for each call, about the one that waits longest: each may take as long as a broker is silent, and then
/// a multiple of that passes before the next.
Result<> TopicReader::ask_again() {
    if (doubts_ == 0) return {};
    const auto now = steady_clock::now();
    if (now < next_question_) return {};
    auto due = partitions_.end();
    for (auto it = partitions_.begin(); it != partitions_.end(); ++it) {
        const auto& ask_at = it->second.ask_at;
        if (ask_at && *ask_at <= now && (due == partitions_.end() || *ask_at < *due->second.ask_at)) due = it;
    }
    if (due == partitions_.end()) return {};
    auto& [number, partition] = *due;
    const auto kept = range_of(*client_, settings_, number);
    const auto answered = steady_clock::now();
    next_question_ = answered + kAskShare * (answered - now);
    if (kept && partition.next < kept->begin)
        return fail(unavailable(
            fmt::format("partition {} holds nothing before offset {}, and {} is the next to be read: records were "
                        "removed",
                        number, kept->begin, partition.next)));
    if (!kept || partition.next > kept->end) {
        partition.between = std::min(2 * partition.between, kLongestPause);
        partition.ask_at = answered + partition.between;
        return {};
    }
    partition.ask_at.reset();
    partition.comparing = partition.last && partition.last->offset >= kept->begin;
    return fetch(number, partition.comparing ? partition.last->offset : partition.next);
}

Result<> TopicReader::take(const rd_kafka_message_t& message) {
    const auto number = static_cast<std::uint32_t>(message.partition);
    const auto found = partitions_.find(number);
    if (found == partitions_.end()) return {};
    Partition& partition = found->second;
    switch (message.err) {
        case RD_KAFKA_RESP_ERR_NO_ERROR: break;
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            if (partition.comparing) return {};
            partition.has_caught_up = true;
            // What transactions leave at the end has offsets and no record.
            ends_.insert_or_assign(number, static_cast<std::uint64_t>(message.offset));
            end_doubt(number, partition);
            return {};
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: begin_doubt(number, partition); return {};
        default: return {};  // a broker is away; librdkafka goes on by itself
    }
    InRecord record = record_of(message);
    if (partition.comparing) {
        partition.comparing = false;
        if (record.offset != partition.last->offset || print_of(record) != partition.last->print)
            return fail(unavailable(
                fmt::format("partition {}: the record at {} is no longer the one that was read: the topic was made "
                            "anew, or has lost records",
                            number, partition.last->offset)));
    }
    if (record.offset < partition.next) return {};
    end_doubt(number, partition);
    partition.next = record.offset + 1;
    records_.push_back(std::move(record));
    return {};
}

void TopicReader::let_go() {
    for (const InRecord& record : records_) {
        const auto found = partitions_.find(record.partition);
        if (found != partitions_.end() && record.offset + 1 == found->second.next)
            found->second.last = {record.offset, print_of(record)};
    }
    records_.clear();
    for (auto* message : messages_) rd_kafka_message_destroy(message);
    messages_.clear();
}

Result<std::span<const InRecord>> TopicReader::read(milliseconds wait, std::size_t most) {
    let_go();
    ends_.clear();
    if (auto asked = ask_again(); !asked) return fail(asked.error());
    rd_kafka_poll(client_->get(), 0);
    messages_.resize(most);
    const auto count = rd_kafka_consume_batch_queue(queue_, static_cast<int>(wait.count()), messages_.data(), most);
    messages_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    for (const auto* message : messages_) {
        if (auto taken = take(*message); !taken) return fail(taken.error());
    }
    return std::span<const InRecord>{records_};
}

}  // namespace parley::kafka
