#pragma once
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "adapters/kafka/producer.h"
#include "base/clock.h"
#include "base/message.h"

namespace parley::kafka {

/// The topic of what roles gave up: each message's record as it was, with `role`, `reason`, `seq` and `at` in headers;
/// without its value where that is larger than a record may be.
///
/// Thread: any, one put() at a time; waits. The topic is made, and connected to, when there is something to put.
/// Fails:  kStoreUnavailable, and the record may be there: a second put() can make two.
class DeadLetterTopic {
public:
    /// `settings` name the topic of the messages; `topic` is this one's.
    DeadLetterTopic(Settings settings, std::string topic, const Clock& clock);

    Result<> put(const std::string& role, const Message& message, const std::string& reason);

private:
    Result<> open();
    Result<> send(const OutRecord& record);

    Settings settings_;
    const Clock& clock_;
    std::mutex mutex_;
    std::shared_ptr<std::promise<Result<>>> sent_;  ///< the producer's thread may still be in the last one's
    std::unique_ptr<Producer> producer_;
};

}  // namespace parley::kafka
