#include "base/message.h"

#include <array>

#include "base/byte_scan.h"
#include "base/iso_time.h"

namespace parley {
namespace {

struct TypeName {
    MessageType type;
    std::string_view name;
};
constexpr std::array kTypes{TypeName{MessageType::kTalk, "TALK"}, TypeName{MessageType::kJoin, "JOIN"},
                            TypeName{MessageType::kLeave, "LEAVE"}, TypeName{MessageType::kAi, "AI"},
                            TypeName{MessageType::kSystem, "SYSTEM"}};

void append_member(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
}

}  // namespace

std::string_view name(MessageType type) noexcept {
    for (const auto& row : kTypes) {
        if (row.type == type) return row.name;
    }
    return "UNKNOWN";
}

std::optional<MessageType> parse_message_type(std::string_view text) noexcept {
    for (const auto& row : kTypes) {
        if (row.name == text) return row.type;
    }
    return std::nullopt;
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto needs_escape = [](std::uint64_t word) {
        return eight::below(word, 0x20) | eight::equal(word, '"') | eight::equal(word, '\\');
    };
    out += '"';
    for (std::size_t plain = 0;;) {
        const std::size_t end = find_byte(text, plain, needs_escape);
        out.append(text, plain, end - plain);
        if (end == text.size()) break;
        plain = end + 1;
        switch (const auto c = static_cast<unsigned char>(text[end])) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                out += "\\u00";
                out += kHex[c >> 4];
                out += kHex[c & 15];
        }
    }
    out += '"';
}

std::string to_json(const Message& message) {
    std::string out;
    out.reserve(256 + message.content.size() + message.extra.size());
    append_member(out, R"({"messageId":)", message.id.str());
    append_member(out, R"(,"roomId":)", message.room.str());
    out += R"(,"seq":)";
    out += std::to_string(message.seq.value);
    append_member(out, R"(,"senderId":)", message.sender.str());
    append_member(out, R"(,"senderNickname":)", message.nickname);
    append_member(out, R"(,"content":)", message.content);
    append_member(out, R"(,"type":)", name(message.type));
    out += R"(,"createdAt":")";
    append_iso(out, message.created_at);
    out += '"';
    if (!message.extra.empty()) {
        out += ',';
        out += message.extra;
    }
    out += '}';
    return out;
}

}  // namespace parley
