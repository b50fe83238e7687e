#include "adapters/kafka/record.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"

namespace parley::kafka {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kFormatHeader = "v";
constexpr std::string_view kSenderHeader = "senderId";
constexpr std::string_view kIdHeader = "messageId";
constexpr std::string_view kTicketHeader = "ticket";
constexpr std::size_t kMostMessages = 100;
constexpr std::size_t kTicketSize = 16;
constexpr std::string_view kUnreadable = "(a message that cannot be read)";
constexpr std::string_view kNobody = "~kafka";
constexpr std::string_view kMadeUp = "~kafka:";

// The counting rule's own, and for ever: what base/ids.h takes from clients may change, what counts in a topic may not.
bool is_visible(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}
bool is_id(std::string_view text) { return is_visible(text, 65); }
bool is_room(std::string_view text) {
    static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    if (text.starts_with('~')) return is_visible(text, 128);
    return !text.empty() && text.size() <= 120 && text.find_first_not_of(kLetters) == std::string_view::npos;
}

void append_number(std::string& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

std::uint64_t read_number(std::string_view bytes) {
    std::uint64_t out = 0;
    for (const char byte : bytes.substr(0, 8)) out = out << 8 | static_cast<unsigned char>(byte);
    return out;
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
}

void append_object(std::string& out, const RoomId& room, const Draft& draft, WallTime now) {
    append_member(out, R"({"messageId":)", draft.id.str());
    append_member(out, R"(,"roomId":)", room.str());
    append_member(out, R"(,"senderId":)", draft.sender.str());
    append_member(out, R"(,"senderNickname":)", draft.nickname);
    append_member(out, R"(,"content":)", draft.content);
    append_member(out, R"(,"type":)", name(draft.type));
    append_member(out, R"(,"createdAt":)", format_iso(now));
    if (!draft.extra.empty()) {
        out += ',';
        out += draft.extra;
    }
    out += '}';
}

/// What a body says; the headers go first.
struct Body {
    std::string nickname, content, extra, sender;
    std::optional<MessageType> type;
    bool has_content = false;
};

std::string_view trimmed(std::string_view json) {
    const auto last = json.find_last_not_of(" \t\r\n");
    return json.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool take_text(ondemand::value value, std::string& into) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    into = text;
    return true;
}

bool keep_member(std::string_view key, ondemand::value value, std::string& extra) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    std::string_view raw;
    bool read = false;
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        read = value.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(raw) == simdjson::SUCCESS;
    } else if (type == ondemand::json_type::array) {
        ondemand::array array;
        read = value.get_array().get(array) == simdjson::SUCCESS && array.raw_json().get(raw) == simdjson::SUCCESS;
    } else {
        raw = value.raw_json_token();
        read = true;
    }
    if (!extra.empty()) extra += ',';
    append_json_string(extra, key);
    extra += ':';
    extra += trimmed(raw);
    return read;
}

std::optional<Body> read_object(ondemand::object object, bool ours) {
    Body out;
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS)
            return std::nullopt;
        if (key == "content") {
            if (!take_text(value, out.content)) return std::nullopt;
            out.has_content = true;
        } else if (key == "senderNickname") {
            if (!take_text(value, out.nickname) && ours) return std::nullopt;
        } else if (key == "senderId") {
            if (!take_text(value, out.sender) && ours) return std::nullopt;
        } else if (key == "type") {
            std::string type;
            if (!take_text(value, type)) return std::nullopt;
            out.type = parse_message_type(type);
        } else if (key == "messageId" || key == "roomId" || key == "createdAt" || key == "seq") {
            continue;
        } else if (ours && !keep_member(key, value, out.extra)) {
            return std::nullopt;
        }
    }
    if (!out.has_content) return std::nullopt;
    return out;
}

/// `count` bodies; one alone is an object, several are an array. Fewer: what follows cannot be read.
std::vector<Body> read_value(std::string_view json, std::size_t count, bool ours) {
    std::vector<Body> out;
    thread_local ondemand::parser parser;
    const simdjson::padded_string padded{json};
    ondemand::document document;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return out;
    const auto take = [&](ondemand::object object) {
        auto body = read_object(object, ours);
        if (body) out.push_back(std::move(*body));
        return body.has_value();
    };
    if (count == 1) {
        ondemand::object object;
        if (document.get_object().get(object) == simdjson::SUCCESS) take(object);
        return out;
    }
    ondemand::array array;
    if (document.get_array().get(array) != simdjson::SUCCESS) return out;
    for (auto element : array) {
        ondemand::object object;
        if (element.get_object().get(object) != simdjson::SUCCESS || !take(object)) break;
    }
    return out;
}

Draft unreadable() {
    Draft out;
    out.type = MessageType::kSystem;
    out.content = kUnreadable;
    return out;
}

/// U+0000, which no database holds and no Parley sends, becomes U+FFFD.
std::string without_nul(std::string text) {
    for (auto at = text.find('\0'); at != std::string::npos; at = text.find('\0', at)) text.replace(at, 1, "\uFFFD");
    return text;
}

Draft draft_of(Body body, bool ours) {
    Draft out;
    out.nickname = without_nul(std::move(body.nickname));
    out.content = without_nul(std::move(body.content));
    out.extra = std::move(body.extra);
    out.type = body.type.value_or(MessageType::kTalk);
    // What a SYSTEM record says about a room is believed from a Parley only.
    if (!ours && out.type == MessageType::kSystem) out.type = MessageType::kTalk;
    if (MemberTag::problem(body.sender) == nullptr) out.sender = MemberId::trusted(std::move(body.sender));
    return out;
}

}  // namespace

OutRecord encode(const log::AppendRequest& request, WallTime now, Ticket ticket) {
    OutRecord out;
    out.key = request.room.str();
    out.timestamp = now;
    out.headers.emplace_back(kFormatHeader, std::to_string(kRecordFormat));
    const auto& drafts = request.drafts;
    const bool one_sender = std::all_of(drafts.begin(), drafts.end(),
                                        [&](const Draft& draft) { return draft.sender == drafts.front().sender; });
    if (drafts.size() > 1) out.value += '[';
    for (const Draft& draft : drafts) {
        if (!one_sender || &draft == &drafts.front()) out.headers.emplace_back(kSenderHeader, draft.sender.str());
        out.headers.emplace_back(kIdHeader, draft.id.str());
        if (&draft != &drafts.front()) out.value += ',';
        append_object(out.value, request.room, draft, now);
    }
    if (drafts.size() > 1) out.value += ']';
    std::string bytes;
    append_number(bytes, ticket.server);
    append_number(bytes, ticket.number);
    out.headers.emplace_back(kTicketHeader, std::move(bytes));
    return out;
}

std::optional<RecordHead> parse_head(const InRecord& record) {
    if (!is_room(record.key)) return std::nullopt;
    RecordHead out;
    out.room = record.key;
    std::vector<std::string_view> senders;
    for (const auto& [name, value] : record.headers) {
        if (name == kIdHeader) {
            if (!is_id(value) || is_made_up(value) || out.messages.size() == kMostMessages) return std::nullopt;
            out.messages.push_back({{}, value});
        } else if (name == kSenderHeader) {
            if (!is_id(value) || senders.size() == kMostMessages) return std::nullopt;
            senders.push_back(value);
        } else if (name == kFormatHeader) {
            std::from_chars(value.data(), value.data() + value.size(), out.format);
        } else if (name == kTicketHeader && value.size() == kTicketSize) {
            out.ticket = {read_number(value), read_number(value.substr(8))};
        }
    }
    if (senders.empty()) out.messages.clear();
    if (out.messages.empty()) out.messages.emplace_back();
    for (std::size_t i = 0; i < out.messages.size() && !senders.empty(); ++i)
        out.messages[i].sender = senders[std::min(i, senders.size() - 1)];
    return out;
}

bool is_made_up(std::string_view id) noexcept { return id.starts_with(kMadeUp); }

std::vector<Draft> decode(const InRecord& record, const RecordHead& head) {
    const bool ours = head.format != 0;
    std::vector<Body> bodies;
    if (head.format <= kRecordFormat) bodies = read_value(record.value, head.messages.size(), ours);
    std::vector<Draft> out;
    out.reserve(head.messages.size());
    for (std::size_t i = 0; i < head.messages.size(); ++i) {
        Draft draft = i < bodies.size() ? draft_of(std::move(bodies[i]), ours) : unreadable();
        const auto& ids = head.messages[i];
        if (!ids.sender.empty()) draft.sender = MemberId::trusted(std::string{ids.sender});
        if (draft.sender.empty()) draft.sender = MemberId::trusted(std::string{kNobody});
        if (draft.nickname.empty() && !ours) draft.nickname = draft.sender.str();
        std::string id{ids.id};
        if (id.empty()) id.append(kMadeUp).append(fmt::format("{}.{}", record.partition, record.offset));
        draft.id = MessageId::trusted(std::move(id));
        out.push_back(std::move(draft));
    }
    return out;
}

}  // namespace parley::kafka
