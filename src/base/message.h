#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/units.h"

namespace parley {

/// What a stored message is. Values are written to disk: append only, never renumber.
enum class MessageType : std::uint8_t { kTalk = 1, kJoin = 2, kLeave = 3, kAi = 4, kSystem = 5 };

/// `TALK`, `JOIN`, ...
[[nodiscard]] std::string_view name(MessageType type) noexcept;
[[nodiscard]] std::optional<MessageType> parse_message_type(std::string_view text) noexcept;

/// What is asked to be stored: everything but what the log decides (seq, createdAt).
/// `sender` and `nickname` come from the session, never from a client's body.
struct Draft {
    MessageId id;
    MemberId sender;
    std::string nickname;
    MessageType type = MessageType::kTalk;
    std::string content;
    std::string extra;      ///< further members of the JSON object, `"receiverId":"u-9"` or empty; made by us
    bool fresh_id = false;  ///< this server just made `id`: no store needs to look for a repeat
};

/// One stored message (docs/protocol.md section 1). Immutable once made; shared by every core.
struct Message : Draft {
    RoomId room;
    RoomSeq seq;
    WallTime created_at;
};
using MessageRef = std::shared_ptr<const Message>;

/// The section 1 object: keys in the documented order, content unchanged.
[[nodiscard]] std::string to_json(const Message& message);
/// Appends `text` as a JSON string with its quotes. `text` is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace parley
