#include "auth/destination.h"

#include <array>

namespace parley::auth {
namespace {

using enum DestinationKind;

struct Prefix {
    Profile profile;
    std::string_view text;
};
constexpr std::array kBrokerPrefixes{Prefix{Profile::kGame, "/sub"}, Prefix{Profile::kGame, "/user/queue"},
                                     Prefix{Profile::kPublic, "/topic"}, Prefix{Profile::kPublic, "/user/queue"}};

struct Fixed {
    Profile profile;
    std::string_view text;
    DestinationKind kind;
};
constexpr std::array kFixed{
    Fixed{Profile::kGame, "/user/queue/errors", kErrors},
    Fixed{Profile::kGame, "/user/queue/notifications", kNotifications},
    Fixed{Profile::kGame, "/pub/chat/send", kChatSend},
    Fixed{Profile::kGame, "/pub/chat/typing", kTyping},
    Fixed{Profile::kGame, "/pub/chat/read", kReadMark},
    Fixed{Profile::kGame, "/pub/auth/refresh", kAuthRefresh},
    Fixed{Profile::kPublic, "/topic/public", kRoom},
    Fixed{Profile::kPublic, "/user/queue/errors", kErrors},
    Fixed{Profile::kPublic, "/user/queue/notifications", kNotifications},
    Fixed{Profile::kPublic, "/app/chat.sendMessage", kPublicSend},
    Fixed{Profile::kPublic, "/app/auth/refresh", kAuthRefresh},
};

constexpr std::string_view kRoomPrefix = "/sub/chat/room/";
constexpr std::string_view kEventsSuffix = "/events";
constexpr std::string_view kTopicPrefix = "/topic/";

bool is_under(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) && (text.size() == prefix.size() || text[prefix.size()] == '/');
}

Destination of_room(std::string_view rest) {
    Destination destination{.kind = kRoom, .broker_prefix = true};
    if (rest.ends_with(kEventsSuffix)) {
        destination.kind = kRoomEvents;
        rest.remove_suffix(kEventsSuffix.size());
    }
    if (auto room = RoomId::parse(rest)) {
        destination.room = std::move(*room);
    } else {
        destination.bad_room = true;
    }
    return destination;
}

}  // namespace

const RoomId& public_room() {
    static const RoomId room = RoomId::trusted("public");
    return room;
}

Destination parse_destination(Profile profile, std::string_view text) {
    if (profile == Profile::kBroker) {
        const bool is_topic = text.starts_with(kTopicPrefix) && text.size() > kTopicPrefix.size();
        return {.kind = is_topic ? kTopic : kUnknown};
    }
    if (profile == Profile::kGame && text.starts_with(kRoomPrefix)) return of_room(text.substr(kRoomPrefix.size()));
    Destination destination;
    for (const auto& row : kFixed) {
        if (row.profile == profile && row.text == text) destination.kind = row.kind;
    }
    if (destination.kind == kRoom || destination.kind == kPublicSend) destination.room = public_room();
    for (const auto& row : kBrokerPrefixes) {
        if (row.profile == profile && is_under(text, row.text)) destination.broker_prefix = true;
    }
    return destination;
}

}  // namespace parley::auth
