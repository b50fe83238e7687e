#include "adapters/kafka/table_writer.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include <chrono>
#include <span>

#include "adapters/kafka/topic_reader.h"
#include "log/held_message.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kLook{20};
constexpr milliseconds kFirstAssignment{3'000};

std::span<rd_kafka_topic_partition_t> all(rd_kafka_topic_partition_list_t& list) {
    return {list.elems, static_cast<std::size_t>(list.cnt)};
}

}  // namespace

TableWriter::TableWriter(Settings settings, TableWriterOptions options, log::MessageTable& table)
    : settings_(std::move(settings)), options_(std::move(options)), table_(table) {}

Result<std::unique_ptr<TableWriter>> TableWriter::open(const Settings& settings, TableWriterOptions options,
                                                       log::MessageTable& table) {
    std::unique_ptr<TableWriter> writer{new TableWriter{settings, std::move(options), table}};
    auto client = Client::open(Client::Kind::kConsumer, settings,
                               {{"group.id", settings.group_prefix + writer->options_.group},
                                {"partition.assignment.strategy", "cooperative-sticky"},
                                {"enable.auto.commit", "false"},
                                {"auto.offset.reset", "error"},
                                {"session.timeout.ms", "10000"},
                                {"heartbeat.interval.ms", "1000"}},
                               writer.get());
    if (!client) return fail(client.error());
    auto reader = TopicReader::open(settings, {});
    if (!reader) return fail(reader.error());
    writer->reader_ = std::move(*reader);
    writer->client_ = std::move(*client);
    rd_kafka_t* const handle = writer->client_->get();
    rd_kafka_poll_set_consumer(handle);
    rd_kafka_topic_partition_list_t* const topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, settings.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto code = rd_kafka_subscribe(handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(error_of(code));
    writer->thread_ = std::thread{[self = writer.get()] { self->run(); }};
    return writer;
}

TableWriter::~TableWriter() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void TableWriter::run() {
    ::pthread_setname_np(::pthread_self(), "db-writer");
    while (!stopping_ && !stopped_) {
        gather();
        if (!moved_.empty()) store_batch();
    }
    leave_group();
}

/// librdkafka 2.0 aborts the process when it is closed after it has joined the group and before the first assignment.
void TableWriter::leave_group() {
    const auto end = steady_clock::now() + kFirstAssignment;
    while (!was_assigned_ && steady_clock::now() < end) {
        if (auto* const message = rd_kafka_consumer_poll(client_->get(), static_cast<int>(kLook.count())))
            rd_kafka_message_destroy(message);
    }
    if (was_assigned_) {
        rd_kafka_consumer_close(client_->get());
    } else {
        client_->abandon();
    }
}

/// What comes until the batch is full or its time is over.
void TableWriter::gather() {
    auto end = steady_clock::time_point::max();
    while (!stopping_ && !stopped_ && batch_.size() < options_.batch_messages && steady_clock::now() < end) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        const auto wait = moved_.empty() ? kLook : std::min(kLook, left);
        serve_group();
        const auto records = reader_->read(wait, options_.batch_messages - batch_.size());
        if (!records) {
            stop_for_good(records.error().message);
            return;
        }
        for (const InRecord& record : *records) take(record);
        if (moved_.empty()) trouble(waiting_for());
        if (!moved_.empty() && end == steady_clock::time_point::max()) end = steady_clock::now() + options_.batch_time;
    }
}

/// Calls on_assigned() and on_revoked(). No record comes this way: its partitions are paused.
void TableWriter::serve_group() {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(client_->get(), 0);
    if (message == nullptr) return;
    if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        not_allowed_ =
            "Kafka: group " + settings_.group_prefix + options_.group + ": " + rd_kafka_err2str(message->err);
    rd_kafka_message_destroy(message);
}

std::string TableWriter::waiting_for() const { return not_allowed_.empty() ? reader_->doubt() : not_allowed_; }

void TableWriter::take(const InRecord& record) {
    const auto owned = owned_.find(record.partition);
    if (owned == owned_.end() || record.offset < owned->second.next) return;
    owned->second.next = record.offset + 1;
    moved_[record.partition] = record.offset + 1;
    const auto head = parse_head(record);
    if (!head) return;
    auto drafts = decode(record, *head);
    const auto counted = owned->second.counter.count(record, *head);
    for (std::size_t i = 0; i < counted.size(); ++i) {
        if (counted[i].repeated) continue;
        batch_.push_back({record.partition, record.offset,
                          log::hold(std::move(drafts[i]), RoomId::trusted(std::string{head->room}), counted[i].seq,
                                    counted[i].created_at)});
    }
}

/// Until it is there. What another member takes over meanwhile is stored by both alike.
void TableWriter::store_batch() {
    std::vector<log::Position> positions;
    for (const auto& [partition, next] : moved_) positions.push_back({partition, next});
    for (;;) {
        const auto stored = table_.store(batch_, positions);
        if (stored) break;
        if (stored.error().code == Code::kInternal) {
            stop_for_good(stored.error().message);
            return;
        }
        trouble(stored.error().message);
        if (!wait_to_try_again()) return;
    }
    trouble(waiting_for());
    stored_ += batch_.size();
    commit_offsets();
    batch_.clear();
    moved_.clear();
}

/// For tools that show how far the group is; nobody begins at them.
void TableWriter::commit_offsets() {
    rd_kafka_topic_partition_list_t* const offsets = rd_kafka_topic_partition_list_new(static_cast<int>(moved_.size()));
    for (const auto& [partition, next] : moved_) {
        auto* const one =
            rd_kafka_topic_partition_list_add(offsets, settings_.topic.c_str(), static_cast<int>(partition));
        one->offset = static_cast<std::int64_t>(next);
    }
    rd_kafka_commit(client_->get(), offsets, 1);
    rd_kafka_topic_partition_list_destroy(offsets);
}

void TableWriter::on_assigned(rd_kafka_topic_partition_list_t& partitions) {
    was_assigned_ = true;
    not_allowed_.clear();
    for (auto& one : all(partitions)) {
        const auto number = static_cast<std::uint32_t>(one.partition);
        for (;;) {
            const auto checkpoint = table_.checkpoint(number);
            const auto started = checkpoint ? reader_->start({number, checkpoint->next}) : fail(checkpoint.error());
            if (started) {
                one.offset = static_cast<std::int64_t>(checkpoint->next);
                owned_.insert_or_assign(number,
                                        Owned{PartitionCounter{settings_.dedup_window, *checkpoint}, checkpoint->next});
                break;
            }
            trouble(started.error().message);
            if (!wait_to_try_again()) return;
        }
    }
    trouble(waiting_for());
}

void TableWriter::on_revoked(rd_kafka_topic_partition_list_t& partitions) {
    // Who takes them over begins at the table's position.
    for (const auto& one : all(partitions)) {
        const auto number = static_cast<std::uint32_t>(one.partition);
        reader_->stop(number);
        owned_.erase(number);
        moved_.erase(number);
        std::erase_if(batch_, [number](const auto& row) { return row.partition == number; });
    }
}

bool TableWriter::wait_to_try_again() {
    const auto end = steady_clock::now() + options_.between_tries;
    while (!stopping_ && steady_clock::now() < end) std::this_thread::sleep_for(kLook);
    return !stopping_;
}

void TableWriter::stop_for_good(const std::string& why) {
    stopped_ = true;
    trouble("stopped: " + why);
}

void TableWriter::trouble(const std::string& why) {
    if (why == trouble_ || (stopped_ && why.empty())) return;
    trouble_ = why;
    in_trouble_ = !why.empty();
    if (options_.on_trouble) options_.on_trouble(why);
}

}  // namespace parley::kafka
