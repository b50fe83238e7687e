#include "adapters/kafka/topic_replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <unordered_map>

#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/partition_counter.h"
#include "adapters/kafka/topic_reader.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kReadWait{50};

/// What is asked for of one partition.
struct Wanted {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    TopicFacts::Range kept;
};

/// One partition's part of a replay.
class Part {
public:
    /// `at` is where the table stands; one that is not in the partition says nothing about its records.
    Part(const Settings& settings, const log::Checkpoint& at, const Wanted& wanted)
        : first_(wanted.first), end_(wanted.end), counter_(settings.dedup_window, at) {
        if (at.next < wanted.kept.begin || at.next > wanted.kept.end) return;
        next_ = at.next;
        known_from_ = at.next - std::min(at.next, settings.dedup_window);
        for (const auto& row : at.window) rows_[row.offset].push_back(row);
    }
    /// Where reading begins: what the table has not yet is counted from its position on.
    [[nodiscard]] std::uint64_t begin() const { return std::min(first_, next_); }
    [[nodiscard]] bool is_done() const { return at_ >= end_; }
    void end_is_here() { at_ = end_; }

    void take(const InRecord& record, UniqueFunction<void(const ReplayedMessage&)>& tell) {
        at_ = std::max(at_, record.offset + 1);
        const auto head = parse_head(record);
        if (!head) return;
        const auto counted = record.offset >= next_ ? counter_.count(record, *head) : from_table(record, *head);
        if (record.offset < first_ || record.offset >= end_) return;
        auto drafts = decode(record, *head);
        for (std::size_t i = 0; i < drafts.size(); ++i) {
            ReplayedMessage out{record.partition, record.offset, {}, counted[i].repeated};
            static_cast<Draft&>(out.message) = std::move(drafts[i]);
            out.message.room = RoomId::trusted(std::string{head->room});
            out.message.seq = counted[i].seq;
            out.message.created_at = counted[i].created_at;
            tell(out);
        }
    }

private:
    std::vector<PartitionCounter::Counted> from_table(const InRecord& record, const RecordHead& head) {
        std::vector<PartitionCounter::Counted> out(head.messages.size(), {{}, record.timestamp, false});
        if (record.offset < known_from_) return out;
        const auto rows = rows_.find(record.offset);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i].repeated = true;
            if (rows == rows_.end()) continue;
            for (const auto& row : rows->second) {
                const auto& [sender, id] = head.messages[i];
                if (id.empty() || (row.id.str() == id && row.sender.str() == sender))
                    out[i] = {row.seq, row.created_at, false};
            }
        }
        return out;
    }

    const std::uint64_t first_;
    const std::uint64_t end_;
    PartitionCounter counter_;  ///< of the records from `next_` on
    std::uint64_t next_ = UINT64_MAX;
    std::uint64_t known_from_ = UINT64_MAX;
    std::uint64_t at_ = 0;
    std::unordered_map<std::uint64_t, std::vector<log::Checkpoint::Row>> rows_;
};

/// From where to where, of each partition that is asked for.
Result<std::map<std::uint32_t, Wanted>> wanted_of(GroupAdmin& admin, const ReplayRange& range,
                                                  std::uint32_t partitions) {
    const auto kept = admin.ranges();
    if (!kept) return fail(kept.error());
    std::vector<std::optional<std::uint64_t>> from(partitions, range.from_offset);
    if (range.from_time) {
        auto at = admin.offsets_at(*range.from_time);
        if (!at) return fail(at.error());
        for (std::uint32_t i = 0; i < partitions; ++i) from[i] = (*at)[i] ? *(*at)[i] : (*kept)[i].end;
    }
    std::map<std::uint32_t, Wanted> out;
    for (std::uint32_t i = 0; i < partitions; ++i) {
        if (range.partition && *range.partition != i) continue;
        const auto [begin, end] = (*kept)[i];
        if (range.from_offset && (*range.from_offset < begin || *range.from_offset > end))
            return fail(Code::kBadRequest, fmt::format("partition {} holds the offsets {} to {}", i, begin, end));
        out[i] = {from[i].value_or(begin), range.to_offset ? std::min(end, *range.to_offset + 1) : end, (*kept)[i]};
    }
    return out;
}

}  // namespace

Result<> replay_topic(const Settings& settings, log::MessageTable& table, const ReplayRange& range,
                      UniqueFunction<void(const ReplayedMessage&)> tell) {
    const auto count = partitions_of(settings);
    if (!count) return fail(count.error());
    if (range.partition && *range.partition >= *count)
        return fail(Code::kBadRequest, fmt::format("topic {} has the partitions 0 to {}", settings.topic, *count - 1));
    const auto topic = GroupAdmin::open(settings, {}, *count, settings.connect_limit);
    if (!topic) return fail(topic.error());
    const auto wanted = wanted_of(**topic, range, *count);
    if (!wanted) return fail(wanted.error());

    std::map<std::uint32_t, Part> parts;
    std::vector<TopicReader::Start> starts;
    for (const auto& [partition, of_partition] : *wanted) {
        if (of_partition.first >= of_partition.end) continue;
        const auto checkpoint = table.checkpoint(partition);
        if (!checkpoint) return fail(checkpoint.error());
        const auto added = parts.try_emplace(partition, settings, *checkpoint, of_partition).first;
        starts.push_back({partition, added->second.begin()});
    }
    if (starts.empty()) return {};
    auto reader = TopicReader::open(settings, starts);
    if (!reader) return fail(reader.error());
    auto give_up = steady_clock::now() + settings.connect_limit;
    while (std::any_of(parts.begin(), parts.end(), [](const auto& one) { return !one.second.is_done(); })) {
        const auto records = (*reader)->read(kReadWait);
        if (!records) return fail(records.error());
        for (const InRecord& record : *records) parts.at(record.partition).take(record, tell);
        // What ends a partition may be no message: the end of a transaction.
        for (auto& [partition, part] : parts) {
            if ((*reader)->has_caught_up(partition)) part.end_is_here();
        }
        const auto now = steady_clock::now();
        if (!records->empty()) give_up = now + settings.connect_limit;
        if (now > give_up) return fail(unavailable("the topic cannot be read to its end" + (*reader)->trouble()));
    }
    return {};
}

}  // namespace parley::kafka
