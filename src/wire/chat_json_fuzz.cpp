#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/message.h"
#include "wire/json.h"
#include "wire/utf8.h"

namespace {

using namespace parley::wire;

void append_member(std::string& out, std::string_view key, const std::optional<std::string>& value) {
    if (!value) return;
    if (!is_valid_utf8(*value)) std::abort();
    out.append(out.size() > 1 ? ",\"" : "\"").append(key).append("\":");
    parley::append_json_string(out, *value);
}

/// A body written out again must read the same.
void check_round_trip(const ChatBody& body) {
    std::string json = "{";
    append_member(json, "type", body.type);
    append_member(json, "roomId", body.room_id);
    append_member(json, "content", body.content);
    append_member(json, "messageId", body.message_id);
    append_member(json, "sender", body.sender);
    if (body.seq) json.append(json.size() > 1 ? ",\"seq\":" : "\"seq\":").append(std::to_string(*body.seq));
    const auto again = parse_chat_body(json + "}");
    if (!again || again->type != body.type || again->room_id != body.room_id || again->content != body.content ||
        again->message_id != body.message_id || again->sender != body.sender || again->seq != body.seq) {
        std::abort();
    }
}

/// A value reads as one type at most, and what is not there as none.
void check_types(const JsonFields& fields) {
    for (const std::string_view name : {"content", "seq", "type"}) {
        const auto text = fields.text(name);
        const auto integer = fields.integer(name);
        const auto flag = fields.flag(name);
        const int read = int{text && *text} + int{integer && *integer} + int{flag && *flag};
        if (read > (fields.has(name) ? 1 : 0)) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const auto body = parse_chat_body(input);
    if (body) {
        if (!is_valid_utf8(input)) std::abort();
        if (body->content) (void)has_text(*body->content);
        check_round_trip(*body);
        if (!parse_chat_body(input, {})) std::abort();  // fewer wanted fields cannot make it worse
    }
    const auto fields = JsonFields::parse(input, {"content", "seq", "type"});
    if (fields && body && body->content && **fields->text("content") != *body->content) std::abort();
    if (fields) check_types(*fields);
    if (is_valid_utf8(input)) (void)has_text(input);
    return 0;
}
