#pragma once
#include <cstdint>
#include <optional>

#include "adapters/kafka/settings.h"
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

/// Reads the records without a group and without changing anything, beside servers that may be running. Seqs are the
/// table's for what it has within its window, and derived from there on.
/// Order: a partition's by offset; partitions mix.
/// Error: one sentence for the operator.
[[nodiscard]] Result<> replay_topic(const Settings& settings, log::MessageTable& table, const ReplayRange& range,
                                    UniqueFunction<void(const ReplayedMessage&)> tell);

}  // namespace parley::kafka
