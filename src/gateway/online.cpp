#include "gateway/online.h"

namespace parley::gateway {
bool Online::arrive(const MemberId& member) {
    const std::lock_guard lock{mutex_};
    const auto [entry, is_new] = members_.try_emplace(key(member));
    ++entry->second.sessions;
    return is_new;
}

void Online::leave(const MemberId& member, SteadyTime now) {
    const std::lock_guard lock{mutex_};
    const auto found = members_.find(key(member));
    if (found == members_.end() || --found->second.sessions != 0) return;
    leaving_.push_back({now + grace_, found->first, ++found->second.leaves});
}

void Online::sweep(SteadyTime now) {
    const std::lock_guard lock{mutex_};
    for (; !leaving_.empty() && leaving_.front().at <= now; leaving_.pop_front()) {
        const auto found = members_.find(leaving_.front().member);
        if (found == members_.end() || found->second.sessions != 0) continue;
        if (found->second.leaves == leaving_.front().leave) members_.erase(found);
    }
}

std::vector<std::uint64_t> Online::part(std::size_t number, std::size_t parts) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::uint64_t> out;
    for (std::size_t bucket = number; bucket < members_.bucket_count(); bucket += parts) {
        for (auto entry = members_.begin(bucket); entry != members_.end(bucket); ++entry) out.push_back(entry->first);
    }
    return out;
}

std::size_t Online::members() const {
    const std::lock_guard lock{mutex_};
    return members_.size();
}

}  // namespace parley::gateway
