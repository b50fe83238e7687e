#include "gateway/notification_queues.h"

#include "gateway/stomp_session.h"

namespace parley::gateway {

void NotificationQueues::remove(const MemberId& member, const StompSession& session) noexcept {
    const auto found = sessions_.find(member);
    if (found == sessions_.end()) return;
    std::erase(found->second, &session);
    if (found->second.empty()) sessions_.erase(found);
}

void NotificationQueues::tell(const MemberId& member, std::string_view json) {
    const auto found = sessions_.find(member);
    if (found == sessions_.end()) return;
    // A copy: telling one may end it.
    for (StompSession* session : std::vector{found->second}) session->notify(json);
}

}  // namespace parley::gateway
