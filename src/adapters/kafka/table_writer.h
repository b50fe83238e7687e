#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/partition_counter.h"
#include "base/function.h"
#include "log/message_table.h"

namespace parley::kafka {

class TopicReader;

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
/// by the counting rule, as every reader does, going on from the table's own checkpoint. The group says only whose a
/// partition is; it is read by a TopicReader.
///
/// Thread: one of its own. Shares the table.
/// Order:  a partition's by offset. The table's position is what counts; the group's offsets follow it, for tools.
/// Fails:  while the table is away a batch is tried every second. Another record under a known (room, seq), or what
///         TopicReader fails for, stops it for good: rows and topic do not belong together.
class TableWriter final : private Client::Listener {
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
    struct Owned {
        PartitionCounter counter;
        std::uint64_t next = 0;
    };

    TableWriter(Settings settings, TableWriterOptions options, log::MessageTable& table);
    void on_assigned(rd_kafka_topic_partition_list_s& partitions) override;
    void on_revoked(rd_kafka_topic_partition_list_s& partitions) override;
    void run();
    void gather();
    void serve_group();
    /// What keeps messages from the table that is not the table; empty: nothing does.
    [[nodiscard]] std::string waiting_for() const;
    void take(const InRecord& record);
    void leave_group();
    void store_batch();
    void commit_offsets();
    void stop_for_good(const std::string& why);
    void trouble(const std::string& why);
    [[nodiscard]] bool wait_to_try_again();

    const Settings settings_;
    TableWriterOptions options_;
    log::MessageTable& table_;
    std::unique_ptr<Client> client_;  ///< the group's member
    std::unique_ptr<TopicReader> reader_;
    std::map<std::uint32_t, Owned> owned_;
    std::vector<log::PlacedMessage> batch_;
    std::map<std::uint32_t, std::uint64_t> moved_;  ///< positions behind the batch
    std::string trouble_;
    std::string not_allowed_;  ///< what the group's coordinator says, until it gives partitions
    bool was_assigned_ = false;
    std::atomic<std::uint64_t> stored_{0};
    std::atomic<bool> stopped_{false};
    std::atomic<bool> in_trouble_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace parley::kafka
