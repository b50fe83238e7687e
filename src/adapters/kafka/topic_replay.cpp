#include "adapters/kafka/topic_replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/kafka/partition_counter.h"

namespace parley::kafka {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kReadWait{50};
constexpr std::size_t kAtOnce = 16;
constexpr Bytes kPageBytes = 256_KiB;

}  // namespace

/// One partition's part of a replay.
class TopicReplay::Part {
public:
    /// The records from `begin` on and before `end`. `at` is where the table stands; one that is not in the partition
    /// says nothing about its records.
    Part(const Settings& settings, log::Checkpoint at, const Begin& begin, std::uint64_t end,
         const TopicFacts::Range& kept)
        : partition_(begin.partition), first_(begin.offset), end_(end), counter_(settings.dedup_window, at) {
        if (at.next < kept.begin || at.next > kept.end) return;
        next_ = at.next;
        known_from_ = at.next - std::min(at.next, settings.dedup_window);
        rows_ = std::move(at.window);
    }
    [[nodiscard]] std::uint32_t partition() const { return partition_; }
    /// Where reading begins: what the table has not yet is counted from its position on.
    [[nodiscard]] std::uint64_t begin() const { return std::min(first_, next_); }
    [[nodiscard]] bool is_done() const { return at_ >= end_; }

    void take(const InRecord& record, Tell& tell) {
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
        const auto rows = std::ranges::equal_range(rows_, record.offset, {}, &log::Checkpoint::Row::offset);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i].repeated = true;
            for (const auto& row : rows) {
                const auto& [sender, id] = head.messages[i];
                if (id.empty() || (row.id.str() == id && row.sender.str() == sender))
                    out[i] = {row.seq, row.created_at, false};
            }
        }
        return out;
    }

    const std::uint32_t partition_;
    const std::uint64_t first_;
    const std::uint64_t end_;
    PartitionCounter counter_;  ///< of the records from `next_` on
    std::uint64_t next_ = UINT64_MAX;
    std::uint64_t known_from_ = UINT64_MAX;
    std::uint64_t at_ = 0;
    std::vector<log::Checkpoint::Row> rows_;
};

std::string to_json(const ReplayedMessage& replayed) {
    std::string json = to_json(replayed.message).substr(1);
    static constexpr std::string_view kUnknown = R"("seq":0,)";
    if (replayed.message.seq.value == 0) json.erase(json.find(kUnknown), kUnknown.size());
    return fmt::format(R"({{"partition":{},"offset":{},{}{})", replayed.partition, replayed.offset,
                       replayed.repeated ? R"("repeated":true,)" : "", json);
}

TopicReplay::TopicReplay(Settings settings, log::MessageTable& table, const ReplayRange& range)
    : settings_(std::move(settings)), table_(table), range_(range) {}

TopicReplay::~TopicReplay() = default;

Result<std::unique_ptr<TopicReplay>> TopicReplay::open(const Settings& settings, log::MessageTable& table,
                                                       const ReplayRange& range) {
    const auto count = partitions_of(settings);
    if (!count) return fail(count.error());
    if (range.partition && *range.partition >= *count)
        return fail(Code::kBadRequest,
                    fmt::format("partition: topic {} has the partitions 0 to {}", settings.topic, *count - 1));
    std::unique_ptr<TopicReplay> replay{new TopicReplay{settings, table, range}};
    auto admin = GroupAdmin::open(settings, {}, *count, settings.connect_limit);
    if (!admin) return fail(admin.error());
    replay->admin_ = std::move(*admin);
    if (auto found = replay->find_begins(*count); !found) return fail(found.error());
    auto reader = TopicReader::open(settings, {});
    if (!reader) return fail(reader.error());
    replay->reader_ = std::move(*reader);
    if (auto begun = replay->begin_next(); !begun) return fail(begun.error());
    return replay;
}

Result<> TopicReplay::find_begins(std::uint32_t partitions) {
    const auto kept = admin_->ranges();
    if (!kept) return fail(kept.error());
    std::vector<std::optional<std::uint64_t>> from(partitions, range_.from_offset);
    if (range_.from_time) {
        auto at = admin_->offsets_at(*range_.from_time);
        if (!at) return fail(at.error());
        for (std::uint32_t i = 0; i < partitions; ++i) from[i] = (*at)[i] ? *(*at)[i] : (*kept)[i].end;
    }
    for (std::uint32_t i = 0; i < partitions; ++i) {
        if (range_.partition && *range_.partition != i) continue;
        const auto [begin, end] = (*kept)[i];
        if (range_.from_offset && (*range_.from_offset < begin || *range_.from_offset > end))
            return fail(Code::kBadRequest,
                        fmt::format("from-offset: partition {} holds the offsets {} to {}", i, begin, end));
        left_.push_back({i, from[i].value_or(begin)});
    }
    return {};
}

/// The next partition that has something to tell.
Result<> TopicReplay::begin_next() {
    part_.reset();
    while (part_ == nullptr && !left_.empty()) {
        Begin begin = left_.front();
        left_.pop_front();
        auto checkpoint = table_.checkpoint(begin.partition);
        if (!checkpoint) return fail(checkpoint.error());
        // After the checkpoint: others go on writing both.
        const auto ranges = admin_->ranges();
        if (!ranges) return fail(ranges.error());
        const TopicFacts::Range& kept = (*ranges)[begin.partition];
        begin.offset = std::max(begin.offset, kept.begin);
        const bool ends_before = range_.to_offset && *range_.to_offset < kept.end;
        const std::uint64_t end = ends_before ? *range_.to_offset + 1 : kept.end;
        if (begin.offset >= end) continue;
        auto part = std::make_unique<Part>(settings_, std::move(*checkpoint), begin, end, kept);
        if (auto started = reader_->start({begin.partition, part->begin()}); !started) return started;
        part_ = std::move(part);
    }
    silence_ = {};
    return {};
}

Result<> TopicReplay::read(Tell& tell) {
    for (std::size_t bytes = 0; part_ != nullptr && bytes < kPageBytes.count;) {
        const auto began = steady_clock::now();
        const auto records = reader_->read(kReadWait, kAtOnce);
        if (!records) return fail(records.error());
        const std::uint32_t partition = part_->partition();
        for (const InRecord& record : *records) {
            bytes += record.key.size() + record.value.size();
            if (record.partition == partition) part_->take(record, tell);
        }
        // What ends a partition may be no message: the end of a transaction.
        if (part_->is_done() || reader_->has_caught_up(partition)) {
            reader_->stop(partition);
            return begin_next();
        }
        if (records->empty()) {
            silence_ += steady_clock::now() - began;
            if (silence_ > settings_.connect_limit)
                return fail(unavailable("the topic cannot be read to its end" + reader_->trouble()));
            return {};
        }
        silence_ = {};
    }
    return {};
}

}  // namespace parley::kafka
