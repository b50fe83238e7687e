#include "chat/external_event.h"

#include "base/message.h"
#include "wire/json.h"
#include "wire/utf8.h"

namespace parley::chat {

std::optional<std::string> external_event(const RoomId& room, std::string_view text) {
    if (!wire::is_valid_utf8(text)) return std::nullopt;
    std::string out = R"({"event":"EXTERNAL","roomId":)";
    append_json_string(out, room.str());
    out += R"(,"content":)";
    if (wire::parse_json_strings(text).kind == wire::JsonStrings::Kind::kBroken) {
        append_json_string(out, text);
    } else {
        out += text;
    }
    return out + '}';
}

}  // namespace parley::chat
