#include "adapters/kafka/partition_faults.h"

#include <fmt/format.h>

#include <utility>

namespace parley::kafka {

bool PartitionFaults::is_faulty(std::uint32_t partition) const {
    if (!any()) return false;
    const std::lock_guard lock{mutex_};
    return partitions_.at(partition).faulty;
}

bool PartitionFaults::may_try(std::uint32_t partition, SteadyTime now) {
    if (!any()) return true;
    const std::lock_guard lock{mutex_};
    Partition& one = partitions_.at(partition);
    if (!one.faulty) return true;
    if (now < one.tried + kBetweenTries) return false;
    one.tried = now;
    return true;
}

std::string PartitionFaults::begin(std::uint32_t partition, const std::string& reason, SteadyTime now) {
    const std::lock_guard lock{mutex_};
    Partition& one = partitions_.at(partition);
    one.tried = now;
    if (!std::exchange(one.faulty, true)) ++count_;
    if (reason == reason_) return {};
    reason_ = reason;
    return fmt::format("{} (partition {} first)", reason, partition);
}

bool PartitionFaults::end(std::uint32_t partition) {
    if (!any()) return false;
    const std::lock_guard lock{mutex_};
    if (!std::exchange(partitions_.at(partition).faulty, false) || --count_ != 0) return false;
    reason_.clear();
    return true;
}

std::optional<std::uint32_t> PartitionFaults::untried(SteadyTime now) {
    if (!any()) return {};
    const std::lock_guard lock{mutex_};
    for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
        Partition& one = partitions_[i];
        if (!one.faulty || now < one.tried + kUntried) continue;
        one.tried = now;
        return i;
    }
    return {};
}

}  // namespace parley::kafka
