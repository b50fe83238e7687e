#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/message.h"

namespace parley::room {

/// One stored message and its JSON, made once for every wire form.
struct Item {
    const Message& message;
    std::string_view json;
};

enum class Replay : bool { kNo, kYes };

/// How a kind of client sees messages: STOMP in WebSocket frames, SockJS arrays, ... Subscribers with the same form and
/// key (their subscription id) share what is encoded; those of other keys share what prepare() made.
///
/// Thread: one instance serves one core. Owns nothing of the room.
class WireForm {
public:
    virtual ~WireForm() = default;
    /// Encodes what does not depend on the key, for append() until the next prepare().
    virtual void prepare(std::span<const Item> items, Replay replay) = 0;
    /// Appends the frames of what was prepared, ready for the socket.
    virtual void append(std::string& out, std::string_view key) = 0;
    /// Appends the frame of a room event (typing, presence).
    virtual void append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) = 0;
};

}  // namespace parley::room
