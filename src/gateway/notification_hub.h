#pragma once
#include <unordered_set>

#include "base/ids.h"
#include "rt/asker.h"
#include "store/directory.h"

namespace parley::gateway {

class NotificationStream;

/// The notification streams of one core, and which of them hear that somebody came online.
///
/// Thread: core-local; who shares a room is asked of the directory on the pool.
/// Limit:  the newcomer's first 64 rooms, and of each the first 1 000 members.
class NotificationHub {
public:
    NotificationHub(rt::Asker& asker, store::Directory& directory) : asker_(asker), directory_(directory) {}

    void add(NotificationStream& stream) { streams_.insert(&stream); }
    void remove(NotificationStream& stream) noexcept { streams_.erase(&stream); }
    /// `json` is the event's data.
    void on_member_online(const MemberId& newcomer, const std::string& json);

private:
    rt::Asker& asker_;
    store::Directory& directory_;
    std::unordered_set<NotificationStream*> streams_;
};

}  // namespace parley::gateway
