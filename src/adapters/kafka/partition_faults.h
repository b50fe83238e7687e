#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace parley::kafka {

/// Which partitions do not take records just now. Who sends to one of those is refused at once, but for one try in
/// 200 ms; the others notice nothing.
///
/// Thread: any. While all is well may_try() and end() cost one load.
class PartitionFaults {
public:
    static constexpr milliseconds kBetweenTries{200};
    static constexpr milliseconds kUntried{1'000};

    explicit PartitionFaults(std::uint32_t partitions) : partitions_(partitions) {}

    [[nodiscard]] bool any() const { return count_ != 0; }
    [[nodiscard]] bool is_faulty(std::uint32_t partition) const;
    /// Whether a record may go to the partition now.
    [[nodiscard]] bool may_try(std::uint32_t partition, SteadyTime now);
    /// A record for the partition was not stored. What is new of that, in a sentence; empty: nothing is.
    [[nodiscard]] std::string begin(std::uint32_t partition, const std::string& reason, SteadyTime now);
    /// A record of the partition was stored. True: with that all partitions are well again.
    bool end(std::uint32_t partition);
    /// A partition that nobody has tried for a second; this counts as a try.
    [[nodiscard]] std::optional<std::uint32_t> untried(SteadyTime now);

private:
    struct Partition {
        bool faulty = false;
        SteadyTime tried{};
    };
    mutable std::mutex mutex_;
    std::vector<Partition> partitions_;
    std::string reason_;  ///< the last one
    std::atomic<std::size_t> count_{0};
};

}  // namespace parley::kafka
