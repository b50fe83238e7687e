#pragma once
#include <memory>
#include <span>
#include <vector>

#include "adapters/kafka/client.h"
#include "adapters/kafka/record.h"
#include "base/function.h"

struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

namespace parley::kafka {

/// A server's own reading of partitions, each from an offset on: assigned, never in a group, no offset committed.
///
/// Thread: one. Owns its client.
/// Order:  a partition's records come by offset; partitions mix.
/// Fails:  kStoreUnavailable for good when an offset is no longer there; it waits for brokers that are away.
class TopicReader {
public:
    struct Start {
        std::uint32_t partition = 0;
        std::uint64_t offset = 0;
    };
    static Result<std::unique_ptr<TopicReader>> open(const Settings& settings, std::span<const Start> starts);
    ~TopicReader();
    TopicReader(const TopicReader&) = delete;
    TopicReader& operator=(const TopicReader&) = delete;

    /// What has come, waiting up to `wait` for it. The records live until the next call.
    Result<std::span<const InRecord>> read(milliseconds wait);
    /// Every partition has been read to the end it had at some moment since the start.
    [[nodiscard]] bool has_caught_up() const { return to_catch_up_ == 0; }
    [[nodiscard]] bool has_caught_up(std::uint32_t partition) const { return caught_up_[partition]; }
    [[nodiscard]] std::string trouble() const { return client_->trouble(); }

private:
    TopicReader() = default;
    void let_go();

    std::unique_ptr<Client> client_;
    rd_kafka_topic_s* topic_ = nullptr;
    rd_kafka_queue_s* queue_ = nullptr;
    std::vector<std::uint32_t> started_;
    std::vector<bool> caught_up_;  ///< by partition
    std::size_t to_catch_up_ = 0;
    std::vector<rd_kafka_message_s*> messages_;  ///< what `records_` borrows from
    std::vector<InRecord> records_;
};

/// The record as librdkafka has it; borrows from it.
[[nodiscard]] InRecord record_of(const rd_kafka_message_s& message);

}  // namespace parley::kafka
