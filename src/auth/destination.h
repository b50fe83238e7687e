#pragma once
#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace parley::auth {

/// The STOMP profiles of protocol.md section 3. Destinations are separate per profile.
enum class Profile : std::uint8_t { kGame, kPublic, kBroker };

enum class DestinationKind : std::uint8_t {
    kUnknown,
    kRoom,           ///< `/sub/chat/room/{id}`, `/topic/public`; also what REST and the other transports act on
    kRoomEvents,     ///< `/sub/chat/room/{id}/events`
    kErrors,         ///< `/user/queue/errors`
    kNotifications,  ///< `/user/queue/notifications`
    kChatSend,       ///< `/pub/chat/send`: the room is in the body
    kTyping,         ///< `/pub/chat/typing`
    kReadMark,       ///< `/pub/chat/read`
    kAuthRefresh,    ///< `/pub/auth/refresh`
    kPublicSend,     ///< `/app/chat.sendMessage`: always the room `public`
    kTopic,          ///< `/topic/*` of the broker profile
};

struct Destination {
    DestinationKind kind = DestinationKind::kUnknown;
    RoomId room{};               ///< where the text names one
    bool bad_room = false;       ///< the text names one that is no valid client room id
    bool broker_prefix = false;  ///< under the profile's broker prefix, where only the server sends
};

/// What `text` means in `profile`. Exact: no trailing slash, no decoding, no case folding.
[[nodiscard]] Destination parse_destination(Profile profile, std::string_view text);

/// The room behind `/topic/public`.
[[nodiscard]] const RoomId& public_room();

}  // namespace parley::auth
