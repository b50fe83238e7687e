#include "adapters/kafka/group_member.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "adapters/kafka/handles.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kLook{20};
constexpr milliseconds kFirstAssignment{3'000};
constexpr int kAnswerMs = 3'000;

std::span<rd_kafka_topic_partition_t> all(rd_kafka_topic_partition_list_t& list) {
    return {list.elems, static_cast<std::size_t>(list.cnt)};
}

}  // namespace

GroupMember::GroupMember(Settings settings, std::string group, milliseconds between_tries, Listener& listener)
    : settings_(std::move(settings)), group_(std::move(group)), between_tries_(between_tries), listener_(listener) {}

Result<std::unique_ptr<GroupMember>> GroupMember::open(const Settings& settings, const std::string& group,
                                                       milliseconds between_tries, Listener& listener) {
    std::unique_ptr<GroupMember> member{
        new GroupMember{settings, settings.group_prefix + group, between_tries, listener}};
    auto client = Client::open(Client::Kind::kConsumer, settings,
                               {{"group.id", member->group_},
                                {"partition.assignment.strategy", "cooperative-sticky"},
                                {"enable.auto.commit", "false"},
                                {"auto.offset.reset", "error"},
                                {"session.timeout.ms", "10000"},
                                // Who can do nothing with its partitions (its way to the table is cut) loses them.
                                {"max.poll.interval.ms", "30000"},
                                {"heartbeat.interval.ms", "1000"}},
                               member.get());
    if (!client) return fail(client.error());
    auto reader = TopicReader::open(settings, {});
    if (!reader) return fail(reader.error());
    member->reader_ = std::move(*reader);
    member->client_ = std::move(*client);
    rd_kafka_t* const handle = member->client_->get();
    rd_kafka_poll_set_consumer(handle);
    const PartitionList topics{rd_kafka_topic_partition_list_new(1)};
    rd_kafka_topic_partition_list_add(topics.get(), settings.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto code = rd_kafka_subscribe(handle, topics.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(error_of(code));
    return member;
}

Result<std::span<const InRecord>> GroupMember::read(milliseconds wait, std::size_t most) {
    serve_group();
    return reader_->read(wait, most);
}

/// Calls on_assigned() and on_revoked(). No record comes this way: its partitions are paused.
void GroupMember::serve_group() {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(client_->get(), 0);
    if (message == nullptr) return;
    if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        not_allowed_ = "Kafka: group " + group_ + ": " + rd_kafka_err2str(message->err);
    rd_kafka_message_destroy(message);
}

std::string GroupMember::waiting_for() const {
    if (!not_allowed_.empty()) return not_allowed_;
    if (!unknown_) return reader_->doubt();
    return fmt::format(
        "Kafka: topic {} has got a partition {}, and had {} at the start: nobody reads what is in it; where rooms lie "
        "has changed (docs/kafka.md, Partitions)",
        settings_.topic, *unknown_, settings_.partitions);
}

Result<> GroupMember::read_from(std::uint32_t partition, std::uint64_t offset) {
    reader_->stop(partition);
    return reader_->start({partition, offset});
}

Result<std::optional<std::uint64_t>> GroupMember::committed(std::uint32_t partition) {
    const PartitionList one{rd_kafka_topic_partition_list_new(1)};
    rd_kafka_topic_partition_list_add(one.get(), settings_.topic.c_str(), static_cast<std::int32_t>(partition));
    auto code = rd_kafka_committed(client_->get(), one.get(), kAnswerMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = one->elems[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(error_of(code));
    const std::int64_t offset = one->elems[0].offset;
    return offset < 0 ? std::nullopt : std::optional{static_cast<std::uint64_t>(offset)};
}

Result<TopicFacts::Range> GroupMember::kept(std::uint32_t partition) {
    return range_of(*client_, settings_, partition);
}

void GroupMember::commit(const std::map<std::uint32_t, std::uint64_t>& positions) {
    const PartitionList offsets{rd_kafka_topic_partition_list_new(static_cast<int>(positions.size()))};
    for (const auto& [partition, next] : positions) {
        auto* const one = rd_kafka_topic_partition_list_add(offsets.get(), settings_.topic.c_str(),
                                                            static_cast<std::int32_t>(partition));
        one->offset = static_cast<std::int64_t>(next);
    }
    rd_kafka_commit(client_->get(), offsets.get(), 1);
}

/// librdkafka 2.0 aborts the process when it is closed after it has joined the group and before the first assignment,
/// and waits 45 s for a commit that nobody answers.
void GroupMember::leave() {
    stop();
    give_back({owned_.begin(), owned_.end()});
    const auto end = steady_clock::now() + kFirstAssignment;
    while (!was_assigned_ && steady_clock::now() < end) {
        serve_group();
        std::this_thread::sleep_for(kLook);
    }
    if (was_assigned_ && committed(0)) {
        rd_kafka_consumer_close(client_->get());
    } else {
        client_->abandon();
    }
}

void GroupMember::give_back(Partitions partitions) {
    std::erase_if(partitions, [this](std::uint32_t one) { return owned_.erase(one) == 0; });
    if (partitions.empty()) return;
    for (const std::uint32_t one : partitions) reader_->stop(one);
    listener_.on_revoked(partitions);
}

Result<std::uint64_t> GroupMember::take(std::uint32_t partition) {
    const auto offset = listener_.on_assigned(partition);
    if (!offset) return offset;
    owned_.insert(partition);
    const auto reading = read_from(partition, *offset);
    return reading ? offset : fail(reading.error());
}

bool GroupMember::wait_to_try_again() const {
    const auto end = steady_clock::now() + between_tries_;
    while (!stopping_ && steady_clock::now() < end) std::this_thread::sleep_for(kLook);
    return !stopping_;
}

std::optional<std::uint64_t> GroupMember::insist_on(std::uint32_t partition) {
    for (bool again = !stopping_; again; again = wait_to_try_again()) {
        const auto taken = take(partition);
        if (taken) return *taken;
        listener_.on_trouble(taken.error().message);
    }
    return std::nullopt;
}

void GroupMember::begin_anew() {
    const Partitions partitions{owned_.begin(), owned_.end()};
    give_back(partitions);
    for (const std::uint32_t one : partitions) insist_on(one);
}

void GroupMember::on_assigned(rd_kafka_topic_partition_list_t& partitions) {
    was_assigned_ = true;
    not_allowed_.clear();
    for (auto& one : all(partitions)) {
        const auto number = static_cast<std::uint32_t>(one.partition);
        if (number >= settings_.partitions) {
            unknown_ = number;
            continue;
        }
        if (const auto offset = insist_on(number)) one.offset = static_cast<std::int64_t>(*offset);
    }
    listener_.on_trouble(waiting_for());
}

void GroupMember::on_revoked(rd_kafka_topic_partition_list_t& partitions) {
    Partitions out;
    for (const auto& one : all(partitions)) out.push_back(static_cast<std::uint32_t>(one.partition));
    give_back(std::move(out));
}

}  // namespace parley::kafka
