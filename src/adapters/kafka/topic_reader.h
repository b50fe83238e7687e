#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"

struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

namespace parley::kafka {

/// Reads partitions, each from an offset on; nobody else's group or commit moves it.
///
/// A broker that stood still, or is cut off from the others, takes itself for the leader of what it no longer leads,
/// and says that there is no offset beyond what it had. That is no loss: the partition is in doubt, its range is asked
/// for until it reaches the offset again, and reading goes on at the last record, which has to be the same
/// (docs/adr/0013).
///
/// Thread: one. Owns its client.
/// Order:  a partition's records come by rising offset, none twice; partitions mix.
/// Fails:  for good (kStoreUnavailable) when records before the next one were removed, or another record is in the last
///         one's place. It waits for brokers that are away or in doubt.
class TopicReader {
public:
    struct Start {
        std::uint32_t partition = 0;
        std::uint64_t offset = 0;
    };
    static constexpr std::size_t kMostAtOnce = 1000;

    static Result<std::unique_ptr<TopicReader>> open(const Settings& settings, std::span<const Start> starts);
    ~TopicReader();
    TopicReader(const TopicReader&) = delete;
    TopicReader& operator=(const TopicReader&) = delete;

    Result<> start(Start start);
    void stop(std::uint32_t partition);
    /// What has come, at most `most` records, waiting up to `wait` for them. They live until the next call.
    Result<std::span<const InRecord>> read(milliseconds wait, std::size_t most = kMostAtOnce);
    /// Partitions that were read to their end by the last read(), and the next offset there.
    [[nodiscard]] const std::map<std::uint32_t, std::uint64_t>& ends() const { return ends_; }
    /// The partition has been read to the end it had at some moment since the start.
    [[nodiscard]] bool has_caught_up(std::uint32_t partition) const { return partitions_.at(partition).has_caught_up; }
    /// What is in doubt, in a sentence; empty: nothing is.
    [[nodiscard]] std::string doubt() const;
    [[nodiscard]] std::string trouble() const { return client_->trouble(); }
    /// The offset of the next record, as a broker says now. From any thread; waits two seconds at most.
    [[nodiscard]] Result<std::uint64_t> end_of(std::uint32_t partition) const;

private:
    struct Last {
        std::uint64_t offset = 0;
        std::size_t print = 0;  ///< of everything in it
    };
    struct Partition {
        std::uint64_t next = 0;
        std::optional<Last> last{};
        milliseconds between{0};             ///< two questions
        std::optional<SteadyTime> ask_at{};  ///< it is not read before its range has been asked for
        bool in_doubt = false;               ///< until something is read
        bool comparing = false;              ///< what comes first is held against `last`
        bool has_caught_up = false;
    };

    explicit TopicReader(const Settings& settings);
    Result<> fetch(std::uint32_t partition, std::uint64_t offset);
    void let_go();
    Result<> take(const rd_kafka_message_s& message);
    void begin_doubt(std::uint32_t number, Partition& partition);
    void end_doubt(std::uint32_t number, Partition& partition);
    Result<> ask_again();

    Settings settings_;
    std::unique_ptr<Client> client_;
    rd_kafka_topic_s* topic_ = nullptr;
    rd_kafka_queue_s* queue_ = nullptr;
    std::map<std::uint32_t, Partition> partitions_;
    std::size_t doubts_ = 0;
    SteadyTime next_question_{};
    std::map<std::uint32_t, std::uint64_t> ends_;
    std::vector<rd_kafka_message_s*> messages_;  ///< what `records_` borrows from
    std::vector<InRecord> records_;
};

/// The record as librdkafka has it; borrows from it.
[[nodiscard]] InRecord record_of(const rd_kafka_message_s& message);

}  // namespace parley::kafka
