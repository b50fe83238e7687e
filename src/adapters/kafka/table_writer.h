#pragma once
#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/group_member.h"
#include "adapters/kafka/partition_counter.h"
#include "base/function.h"
#include "log/message_table.h"
#include "rt/work_pool.h"

namespace parley::kafka {

struct TableWriterOptions {
    /// Of the topic's readers those with the same name share the partitions.
    std::string group = kTableWriters;
    std::size_t batch_messages = 100;
    milliseconds batch_time{50};
    milliseconds between_tries{1'000};
    /// Told on the writer's thread when messages do not reach the table (why), and when they do again (empty).
    UniqueFunction<void(const std::string& reason)> on_trouble;
};

/// Brings the topic's messages into the table: one of a group that shares the partitions. It derives each message's seq
/// by the counting rule, as every reader does, going on from the table's own checkpoint.
///
/// Thread: one of its own, and one that stores what was handed over while more is gathered. Shares the table.
/// Order:  a partition's by offset; a batch is stored when all before it are. The table's position is what counts; the
///         group's offsets follow it, for tools.
/// Fails:  while the table is away a batch is tried every second. Another record under a known (room, seq), or what
///         TopicReader fails for, stops it for good: rows and topic do not belong together.
class TableWriter final : private GroupMember::Listener {
public:
    static Result<std::unique_ptr<TableWriter>> open(const Settings& settings, TableWriterOptions options,
                                                     log::MessageTable& table);
    /// Leaves the group; what was not stored is read again by who comes after.
    ~TableWriter() override;
    TableWriter(const TableWriter&) = delete;
    TableWriter& operator=(const TableWriter&) = delete;

    /// Rows stored since open().
    [[nodiscard]] std::uint64_t stored() const { return stored_; }
    /// Not for good stopped.
    [[nodiscard]] bool is_running() const { return !stopped_; }
    /// Neither stopped nor waiting for a table that is away.
    [[nodiscard]] bool is_well() const { return !in_trouble_; }

private:
    /// The next one waits at the table already when one is stored.
    static constexpr std::size_t kUnderWay = 2;
    struct Owned {
        PartitionCounter counter;
        std::uint64_t next = 0;
    };
    struct Batch {
        std::vector<log::PlacedMessage> rows;
        std::map<std::uint32_t, std::uint64_t> moved;  ///< positions behind it, of partitions that are still its own
        std::vector<log::Position> positions;          ///< as it was handed over
        std::future<Result<>> stored;
    };

    TableWriter(Settings settings, TableWriterOptions options, log::MessageTable& table);
    Result<std::uint64_t> on_assigned(std::uint32_t partition) override;
    void on_revoked(const GroupMember::Partitions& partitions) override;
    void on_trouble(const std::string& why) override;
    void run();
    void gather();
    void take(const InRecord& record);
    void hand_over();
    void begin_to_store(Batch& batch);
    /// Waits until at most `most` of what was handed over are under way. False: this writer is ending, and some of it
    /// may not be there.
    bool settle(std::size_t most);
    [[nodiscard]] bool may_try_again(const Error& error);
    void stop_for_good(const std::string& why);
    [[nodiscard]] bool wait_to_try_again();

    const Settings settings_;
    TableWriterOptions options_;
    log::MessageTable& table_;
    std::unique_ptr<GroupMember> member_;
    std::map<std::uint32_t, Owned> owned_;
    Batch gathered_;
    std::deque<Batch> sent_;  ///< handed over
    bool holding_ = false;    ///< one of them could not be stored, so none behind it is. The storing thread's
    rt::WorkPool storer_{"db-store", 1, kUnderWay};
    std::string trouble_;
    std::atomic<std::uint64_t> stored_{0};
    std::atomic<bool> stopped_{false};
    std::atomic<bool> in_trouble_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace parley::kafka
