#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/kafka/client.h"

namespace parley::kafka {

/// What was found of the topic when it was opened.
struct TopicFacts {
    struct Range {
        std::uint64_t begin = 0;  ///< the first offset that is kept
        std::uint64_t end = 0;    ///< of the next record
    };
    std::string cluster;
    std::vector<Range> partitions;
};

/// Makes the topic when it is missing, and checks that it can keep the promises: cleanup.policy=delete, no unclean
/// election, with three replicas two in sync. `client` is a consumer's.
/// Error: one sentence for the operator (kStoreUnavailable; kBadRequest for settings of the topic that are refused).
[[nodiscard]] Result<TopicFacts> open_topic(Client& client, const Settings& settings);
/// How many partitions the topic has. Error: it is missing (kNotFound), or nobody says.
[[nodiscard]] Result<std::uint32_t> partitions_of(const Settings& settings);
/// A partition's offsets now; as long as they end before `known`, one that was there once, brokers are asked again
/// until `connect_limit` is over: one that was held up knows less for a moment.
[[nodiscard]] Result<TopicFacts::Range> range_of(Client& client, const Settings& settings, std::uint32_t partition,
                                                 std::uint64_t known = 0);

}  // namespace parley::kafka
