#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "adapters/kafka/group_admin.h"
#include "adapters/kafka/settings.h"
#include "adapters/kafka/topic_reader.h"
#include "base/function.h"
#include "base/message.h"
#include "log/message_table.h"

namespace parley::kafka {

/// Which records: of one partition or of all, from an offset (then of one), a time, or the first that is kept; to
/// the last of now, or to `to_offset`.
struct ReplayRange {
    std::optional<std::uint32_t> partition{};
    std::optional<std::uint64_t> from_offset{};
    std::optional<WallTime> from_time{};
    std::optional<std::uint64_t> to_offset{};  ///< the last one
};

/// A message where it lies in the topic.
struct ReplayedMessage {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    Message message;        ///< seq 0: older than the dedup window, where offsets alone do not tell it
    bool repeated = false;  ///< does not count: the same message lies before it
};

/// The message's JSON behind its place; without seq where that is not known.
[[nodiscard]] std::string to_json(const ReplayedMessage& replayed);

/// Reads the records without a group and without changing anything, beside servers that may be running. Seqs are the
/// table's for what it has within its window, and derived from there on.
///
/// Thread: one at a time. Owns its clients and one partition's window; borrows the table.
/// Order:  partition after partition, each by offset, to where it ends when its turn comes.
/// Fails:  for good, with one sentence for the operator. It waits `connect_limit` for brokers that are away.
class TopicReplay {
public:
    using Tell = UniqueFunction<void(const ReplayedMessage&)>;

    /// Error: kBadRequest, there is no such partition or offset.
    static Result<std::unique_ptr<TopicReplay>> open(const Settings& settings, log::MessageTable& table,
                                                     const ReplayRange& range);
    ~TopicReplay();
    TopicReplay(const TopicReplay&) = delete;
    TopicReplay& operator=(const TopicReplay&) = delete;

    /// Tells what comes next, little more than 256 KiB; nothing where none of it has come yet.
    Result<> read(Tell& tell);
    [[nodiscard]] bool is_done() const { return part_ == nullptr && left_.empty(); }

private:
    class Part;
    struct Begin {
        std::uint32_t partition = 0;
        std::uint64_t offset = 0;
    };

    TopicReplay(Settings settings, log::MessageTable& table, const ReplayRange& range);
    Result<> find_begins(std::uint32_t partitions);
    Result<> begin_next();

    const Settings settings_;
    log::MessageTable& table_;
    const ReplayRange range_;
    std::unique_ptr<GroupAdmin> admin_;
    std::unique_ptr<TopicReader> reader_;
    std::deque<Begin> left_;      ///< whose turn has not come
    std::unique_ptr<Part> part_;  ///< null: there is no more
    std::chrono::steady_clock::duration silence_{0};
};

}  // namespace parley::kafka
