#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace parley::kafka {

/// Whether somebody brings the topic's messages into the table, as who does not write it can see: it stands still where
/// a partition has something for it and its position there has been the same for `patience`.
///
/// Thread: one at a time.
class TableProgress {
public:
    TableProgress(std::uint32_t partitions, milliseconds patience) : partitions_(partitions), patience_(patience) {}

    /// `waits`: something was read that lies at the table's `position` or behind it.
    void see(std::uint32_t partition, std::uint64_t position, bool waits, SteadyTime now) {
        Seen& seen = partitions_[partition];
        if (!seen.waits || position != seen.position) seen.since = now;
        seen.position = position;
        seen.waits = waits;
    }
    /// The table does not answer: what it does is not known.
    void lose_sight() {
        for (Seen& seen : partitions_) seen.waits = false;
    }
    [[nodiscard]] bool stands_still(SteadyTime now) const {
        return std::ranges::any_of(partitions_,
                                   [&](const Seen& seen) { return seen.waits && now - seen.since >= patience_; });
    }

private:
    struct Seen {
        std::uint64_t position = 0;
        bool waits = false;
        SteadyTime since{};  ///< that it waits at this position
    };
    std::vector<Seen> partitions_;
    milliseconds patience_;
};

}  // namespace parley::kafka
