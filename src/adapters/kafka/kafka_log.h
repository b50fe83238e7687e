#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/partition_counter.h"
#include "adapters/kafka/partition_faults.h"
#include "adapters/kafka/recent.h"
#include "adapters/kafka/settings.h"
#include "adapters/kafka/shared_question.h"
#include "adapters/kafka/waiting_appends.h"
#include "base/clock.h"
#include "log/log_stats.h"
#include "log/message_table.h"
#include "log/room_log.h"

namespace parley::kafka {

class Client;
class Producer;
class TopicReader;
struct TopicFacts;

struct KafkaLogOptions {
    /// Appends waiting beyond this are refused at once.
    Bytes queue_limit{64_MiB};
    /// Messages that were read and are not in the table yet; beyond it the oldest have to wait for it.
    Bytes recent_limit{64_MiB};
    /// From append() to its record read back; then the sender is refused.
    milliseconds patience{5'000};
    /// How often the table is asked how far it has come.
    milliseconds ask_table_every{500};
    /// How long it may stand still in front of something.
    milliseconds table_patience{5'000};
    /// Told on one of the log's threads when storing begins to fail (the reason), when the reason changes and when it
    /// works again (empty).
    UniqueFunction<void(const std::string& reason)> on_trouble;
};

/// The log in a Kafka topic that several servers share. Each reads every partition by itself and derives the seqs by
/// the counting rule (partition_counter.h); old messages come from a table that is written from the same topic.
///
/// Thread: any for every call. Of its own: one reads the topic and gives the answers, one tells what was sent, one asks
///         the table how far it is.
/// Owns:   its connections; shares the table.
/// Order:  as RoomLog; one sender's appends to a room lie in the topic in the order append() got them. The commit
///         listener hears every server's messages, from open() on.
/// Ahead:  read() after a message that was not read here yet, which another server may have told, reads on to where the
///         topic ended when it was called; it fails where no broker says where that is, it takes longer than 2 s, or
///         two others wait for that.
/// Fails:  an append that all replicas in sync do not have, or that is not read back, within `patience` is refused
///         although it may have been stored; a retry with the same ids is recognised. While that lasts one append in
///         200 ms tries the partition and the others to it are refused inside append(); where nobody tries, the log
///         does, so that it knows when that ends. Where the topic is no longer what the table remembers, everything
///         is refused for good: broken() says why.
class KafkaLog final : public log::RoomLog {
public:
    /// `table` and `clock` must outlive it. Waits until it has read to the topic's end.
    /// Error: one sentence for the operator: not reachable, a topic that may not be used, one that the table's rows
    /// are not from.
    static Result<std::unique_ptr<KafkaLog>> open(const Settings& settings, KafkaLogOptions options,
                                                  log::MessageTable& table, const Clock& clock);
    /// Answers what was accepted, then closes.
    ~KafkaLog() override;
    KafkaLog(const KafkaLog&) = delete;
    KafkaLog& operator=(const KafkaLog&) = delete;

    void append_all(std::vector<log::Append> appends) override;
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override;
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override;
    Result<log::RoomHead> head(const RoomId& room) override;
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override;
    void on_commit(CommitListener listener) override;
    /// As on_commit(), for the messages that this server's own appends brought.
    void on_own_commit(CommitListener listener);

    [[nodiscard]] log::LogStats stats() const;
    /// By partition: the next record this server will read.
    [[nodiscard]] std::vector<std::uint64_t> positions();
    /// Whether the table answered when it was asked last.
    [[nodiscard]] bool table_answers() const { return table_answers_; }
    /// Whether it answers, and nobody brings messages there that were read here.
    [[nodiscard]] bool table_stands_still() const { return table_stands_still_; }
    /// Why nothing is taken any more until a restart; else empty.
    [[nodiscard]] std::string broken() const;

private:
    /// What a partition's first records are held against: that the topic is the one the table knows.
    struct Expected {
        std::uint64_t offset = 0;
        RoomId room;
        MessageId id;
    };
    struct Partition {
        PartitionCounter counter;
        std::uint64_t next = 0;
        std::optional<Expected> expected{};
    };

    KafkaLog(Settings settings, KafkaLogOptions options, log::MessageTable& table, const Clock& clock);
    Result<> start();
    Result<> load_partitions(Client& client, std::uint32_t count);
    Result<> catch_up(const TopicFacts& topic);
    void read_topic();
    void ask_table();
    Result<> pass(std::span<const InRecord> records);
    Result<> check(Partition& partition, const InRecord& record) const;
    void leave_out(const InRecord& record);
    void on_sent(std::uint64_t number, std::uint32_t partition, const Error* why);
    void send(log::AppendRequest request, std::uint32_t partition, log::AppendDone done);
    void try_untried();
    [[nodiscard]] std::uint32_t number_of(const RoomId& room) const;
    [[nodiscard]] log::RoomHead head_now(const RoomId& room);
    Result<> read_up_to_now(const RoomId& room);
    void refuse(log::AppendDone& done, const Error& error);
    void fault(std::uint32_t partition, const std::string& reason);
    void recovered(std::uint32_t partition);
    void give_up(const std::string& reason);

    const Settings settings_;
    KafkaLogOptions options_;
    log::MessageTable& table_;
    const Clock& clock_;
    const std::uint64_t server_;  ///< this one's, in tickets
    Epoch epoch_;
    std::mutex listener_mutex_;
    CommitListener listener_;
    CommitListener own_listener_;
    log::LogCounters counters_;
    WaitingAppends waiting_;

    std::mutex state_mutex_;          ///< of what the topic was read to
    std::condition_variable passed_;  ///< more of it
    std::vector<Partition> partitions_;
    std::unique_ptr<Recent> recent_;

    mutable std::mutex fault_mutex_;  ///< of what is told
    std::unique_ptr<PartitionFaults> faults_;
    std::string broken_why_;
    std::atomic<bool> broken_{false};    ///< for good
    std::atomic<bool> in_doubt_{false};  ///< the reader waits for a broker that knows what it has read
    std::atomic<bool> table_answers_{true};
    std::atomic<bool> table_stands_still_{false};
    std::atomic<bool> closing_{false};
    std::atomic<bool> stopping_{false};

    std::unique_ptr<TopicReader> reader_;
    std::vector<std::unique_ptr<SharedQuestion>> ends_;  ///< by partition
    std::atomic<int> reading_on_{0};                     ///< callers in read_up_to_now()
    SteadyTime next_word_of_left_out_{};                 ///< the reading thread's
    std::unique_ptr<Producer> producer_;
    std::thread reading_;
    std::thread asking_;
};

}  // namespace parley::kafka
