#include "gateway/online.h"

namespace parley::gateway {
namespace {
std::uint64_t key(const MemberId& member) { return std::hash<MemberId>{}(member); }
}  // namespace

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

std::size_t Online::members() const {
    const std::lock_guard lock{mutex_};
    return members_.size();
}

}  // namespace parley::gateway
