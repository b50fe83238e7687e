#include "adapters/kafka/group_admin.h"

#include <fmt/format.h>

#include "adapters/kafka/handles.h"

namespace parley::kafka {
namespace {

PartitionList make_list(const std::string& topic, std::uint32_t partitions, std::int64_t offset) {
    PartitionList out{rd_kafka_topic_partition_list_new(static_cast<int>(partitions))};
    for (std::uint32_t i = 0; i < partitions; ++i)
        rd_kafka_topic_partition_list_add(out.get(), topic.c_str(), static_cast<std::int32_t>(i))->offset = offset;
    return out;
}

std::span<const rd_kafka_topic_partition_t> all(const rd_kafka_topic_partition_list_t& list) {
    return {list.elems, static_cast<std::size_t>(list.cnt)};
}

std::optional<std::uint64_t> begun(std::int64_t offset) {
    if (offset < 0) return {};
    return static_cast<std::uint64_t>(offset);
}

using Groups = std::unique_ptr<const rd_kafka_group_list, Freed<&rd_kafka_group_list_destroy>>;

/// The first error of a partition's; else `code`.
rd_kafka_resp_err_t with_partitions(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& list) {
    for (const auto& one : all(list)) {
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = one.err;
    }
    return code;
}

}  // namespace

Result<std::unique_ptr<GroupAdmin>> GroupAdmin::open(const Settings& settings, std::string group,
                                                     std::uint32_t partitions, milliseconds limit) {
    std::unique_ptr<GroupAdmin> admin{new GroupAdmin{settings.topic, std::move(group), partitions, limit}};
    Client::Properties properties{{"enable.auto.commit", "false"}};
    if (!admin->group_.empty()) properties.emplace_back("group.id", admin->group_);
    auto client = Client::open(Client::Kind::kConsumer, settings, std::move(properties), nullptr);
    if (!client) return fail(client.error());
    admin->client_ = std::move(*client);
    return admin;
}

/// A commit without an answer would hold up the client's end for 45 s.
GroupAdmin::~GroupAdmin() {
    if (client_ != nullptr && !is_settled_) client_->abandon();
}

Error GroupAdmin::failed(const std::string& what, int code) const {
    rd_kafka_poll(client_->get(), 0);
    return unavailable(
        fmt::format("{}: {}{}", what, rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)), client_->trouble()));
}

Result<std::vector<std::int64_t>> GroupAdmin::offsets_for(std::int64_t time) {
    const auto list = make_list(topic_, partitions_, time);
    auto code = rd_kafka_offsets_for_times(client_->get(), list.get(), limit_);
    if (code = with_partitions(code, *list); code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(failed("topic " + topic_ + ": its offsets cannot be read", code));
    std::vector<std::int64_t> out;
    for (const auto& one : all(*list)) out.push_back(one.offset);
    rd_kafka_poll(client_->get(), 0);
    return out;
}

Result<std::vector<std::uint64_t>> GroupAdmin::ends() {
    const auto offsets = offsets_for(RD_KAFKA_OFFSET_END);
    if (!offsets) return fail(offsets.error());
    return std::vector<std::uint64_t>(offsets->begin(), offsets->end());
}

Result<std::vector<TopicFacts::Range>> GroupAdmin::ranges() {
    const auto begins = offsets_for(RD_KAFKA_OFFSET_BEGINNING);
    if (!begins) return fail(begins.error());
    const auto last = ends();
    if (!last) return fail(last.error());
    std::vector<TopicFacts::Range> out;
    for (std::uint32_t i = 0; i < partitions_; ++i)
        out.push_back({static_cast<std::uint64_t>((*begins)[i]), (*last)[i]});
    return out;
}

Result<std::vector<std::optional<std::uint64_t>>> GroupAdmin::offsets_at(WallTime time) {
    const auto offsets = offsets_for(time.time_since_epoch().count());
    if (!offsets) return fail(offsets.error());
    std::vector<std::optional<std::uint64_t>> out;
    for (const auto offset : *offsets) out.push_back(begun(offset));
    return out;
}

Result<std::vector<std::optional<std::uint64_t>>> GroupAdmin::positions() {
    const auto list = make_list(topic_, partitions_, RD_KAFKA_OFFSET_INVALID);
    auto code = rd_kafka_committed(client_->get(), list.get(), limit_);
    if (code = with_partitions(code, *list); code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(failed("group " + group_ + ": its position cannot be read", code));
    std::vector<std::optional<std::uint64_t>> out;
    for (const auto& one : all(*list)) out.push_back(begun(one.offset));
    return out;
}

Result<std::size_t> GroupAdmin::members() {
    const rd_kafka_group_list* raw = nullptr;
    auto code = rd_kafka_list_groups(client_->get(), group_.c_str(), &raw, limit_);
    const Groups groups{raw};
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && groups->group_cnt == 0) return 0U;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = groups->groups[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(failed("group " + group_ + ": its members cannot be seen", code));
    return static_cast<std::size_t>(groups->groups[0].member_cnt);
}

/// Without being a member, so that the coordinator refuses it where there are some.
Result<> GroupAdmin::move(std::span<const log::Position> to) {
    const PartitionList list{rd_kafka_topic_partition_list_new(static_cast<int>(to.size()))};
    for (const auto& [partition, next] : to)
        rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), static_cast<std::int32_t>(partition))->offset =
            static_cast<std::int64_t>(next);
    const Queue queue{rd_kafka_queue_new(client_->get())};
    rd_kafka_commit_queue(client_->get(), list.get(), queue.get(), nullptr, nullptr);
    const Event event{rd_kafka_queue_poll(queue.get(), limit_)};
    is_settled_ = event != nullptr;
    auto code = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event.get());
    if (event != nullptr) code = with_partitions(code, *rd_kafka_event_topic_partition_list(event.get()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(failed("group " + group_ + " cannot be moved", code));
    return {};
}

}  // namespace parley::kafka
