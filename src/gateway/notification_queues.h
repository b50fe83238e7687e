#pragma once
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace parley::gateway {

class StompSession;

/// The sessions of one core that have subscribed to their member's `/user/queue/notifications`: a message that mentions
/// fifty members asks for fifty of them, not for every session fifty times.
///
/// Thread: core-local. Order: a session is here once, from its first such subscription to the end of its last.
class NotificationQueues {
public:
    void add(const MemberId& member, StompSession& session) { sessions_[member].push_back(&session); }
    void remove(const MemberId& member, const StompSession& session) noexcept;
    void tell(const MemberId& member, std::string_view json);

private:
    std::unordered_map<MemberId, std::vector<StompSession*>> sessions_;
};

}  // namespace parley::gateway
