#pragma once
#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/function.h"
#include "store/directory.h"
#include "worker/mentions.h"
#include "worker/role.h"

namespace parley::worker {

/// Tells members that a message mentions them: those who belong to the room, and those who are in it now.
///
/// Thread: its readers'; waits for the notifications to be stored. Borrows the directory and the clock.
/// Order:  a member is told of a message once: the notification's id is made from the message's, and what takes it
///         drops a repeat.
/// Limit:  messages of the last day; of a room the first 20 000 members; 50 members a message. Never the sender.
class NotificationRole final : public Role {
public:
    struct Notification {
        MemberId member;
        std::string key;  ///< the same for the same message and member
        std::string json;
    };
    /// Answers on any thread, when it is stored or was before.
    using Notify = std::function<void(const Notification& notification, UniqueFunction<void(Result<>)> done)>;
    using Present = std::function<std::vector<Named>(const RoomId& room)>;

    NotificationRole(store::Directory& directory, const Clock& clock, Present present, Notify notify)
        : directory_(directory), clock_(clock), present_(std::move(present)), notify_(std::move(notify)) {}

    [[nodiscard]] const std::string& name() const override;
    [[nodiscard]] std::unique_ptr<RoomWork> open(const RoomId& room, std::string_view saved) override;

private:
    class InRoom;

    store::Directory& directory_;
    const Clock& clock_;
    const Present present_;
    const Notify notify_;
};

}  // namespace parley::worker
