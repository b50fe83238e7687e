#pragma once
#include <optional>
#include <string_view>

#include "auth/destination.h"
#include "base/result.h"
#include "store/directory.h"

namespace parley::auth {

enum class Operation : std::uint8_t {
    kHandshake,  ///< to have the room as the session's first
    kSubscribe,  ///< also streams and polls
    kSend,       ///< STOMP SEND, POST of a message
    kEnter,      ///< STOMP JOIN: be present, stored
    kPresence,   ///< LEAVE, PRESENCE
    kTyping,
    kReadMark,
    kHistory,  ///< also replay
    kSeeRoom,  ///< GET of the room itself
    kSeeMembers,
    kJoin,   ///< REST: become a member
    kLeave,  ///< REST: end the membership
    kInvite,
    kKick,
    kConfigure,  ///< change visibility
};

struct Who {
    MemberId member{};
    bool guest = false;
};

/// Everything a decision depends on. `room` and `membership` are what the Directory knows (nullopt: nothing).
struct Question {
    Profile profile = Profile::kGame;
    Operation operation = Operation::kSubscribe;
    Destination destination{};
    Who who{};
    std::optional<store::RoomInfo> room{};
    std::optional<store::Membership> membership{};
    bool auto_create = true;
};

struct Decision {
    bool allowed = false;
    Code code = Code::kNotFound;  ///< where not allowed
    bool creates_room = false;    ///< allowed, and the room comes to be by it (rate.room_create applies)
    std::string_view rule;        ///< why, for `parley explain` and the log; never for the client

    /// The refusal a client may see: an unknown room and a private one of others read the same.
    [[nodiscard]] Result<> to_result() const;
};

/// The access rules of protocol.md sections 1 and 3. Pure: the same question always has the same answer. Whatever no
/// rule allows is refused.
///
/// A SEND to `/pub/chat/send` and its like is asked twice: for the destination as it stands, which needs no room, and
/// with of_room() once the body has named the room.
[[nodiscard]] Decision decide(const Question& question);

/// The destination for operations that name a room outside of STOMP's destination header.
[[nodiscard]] Destination of_room(const RoomId& room);

}  // namespace parley::auth
