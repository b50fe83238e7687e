#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/message.h"
#include "base/result.h"
#include "bus/bus.h"
#include "log/room_log.h"

namespace parley::gateway {

class Core;

/// Notifications are messages of rooms that are the server's own: one for each member, and one for all. So they have a
/// seq, are kept and trimmed like any room's, and a stream that comes back goes on where it was.
[[nodiscard]] RoomId notifications_of(const MemberId& member);
[[nodiscard]] const RoomId& broadcasts();

/// Stores it and tells the member's streams and sessions. `then` comes once it is durable, or with the error.
/// Thread: core-local.
void notify_member(Core& core, const MemberId& member, const std::string& json, std::function<void()> then);
/// The same for each `key` of the member once: what was stored before is not told again. Thread: any; `then` comes on
/// the log's.
void notify_once(log::RoomLog& log, bus::Bus& bus, const MemberId& member, const std::string& key, std::string json,
                 UniqueFunction<void(Result<>)> then);
/// `event` is a name is_event_name() takes.
void broadcast(Core& core, std::string_view event, std::string data, std::function<void(Result<RoomSeq>)> then);

/// Anything of 1 to 64 characters, none of them a control character, that no stream says of itself. UTF-8.
[[nodiscard]] bool is_event_name(std::string_view text) noexcept;
/// The event's name of a stored notification.
[[nodiscard]] std::string event_name(const Message& message);

/// Where a stream of notifications stands, on the wire `12.7`: in the member's own, and in those to all.
struct NotificationPlace {
    RoomSeq own;
    RoomSeq all;
    friend bool operator==(const NotificationPlace&, const NotificationPlace&) = default;
};
[[nodiscard]] std::string to_text(const NotificationPlace& place);
[[nodiscard]] std::optional<NotificationPlace> parse_notification_place(std::string_view text) noexcept;

}  // namespace parley::gateway
