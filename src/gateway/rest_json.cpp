#include "gateway/rest_json.h"

#include "auth/nickname.h"
#include "base/clock.h"
#include "base/message.h"

namespace parley::gateway {

void JsonObject::key(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
    return *this;
}

JsonObject& JsonObject::number(std::string_view name, std::uint64_t value) { return raw(name, std::to_string(value)); }

JsonObject& JsonObject::flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
    return *this;
}

std::string_view name(store::RoomKind kind) noexcept {
    switch (kind) {
        case store::RoomKind::kChat: return "chat";
        case store::RoomKind::kPair: return "pair";
        case store::RoomKind::kAi: return "ai";
        case store::RoomKind::kTopic: return "topic";
    }
    return "unknown";
}

std::string_view name(store::Visibility visibility) noexcept {
    return visibility == store::Visibility::kPrivate ? "private" : "public";
}

std::string_view name(store::Standing standing) noexcept {
    switch (standing) {
        case store::Standing::kInvited: return "invited";
        case store::Standing::kMember: return "member";
        case store::Standing::kOwner: return "owner";
        case store::Standing::kKicked: return "kicked";
    }
    return "unknown";
}

std::optional<store::Visibility> parse_visibility(std::string_view text) noexcept {
    for (const auto visibility : {store::Visibility::kPublic, store::Visibility::kPrivate}) {
        if (name(visibility) == text) return visibility;
    }
    return std::nullopt;
}

bool belongs(const std::optional<store::Membership>& membership) noexcept {
    return membership &&
           (membership->standing == store::Standing::kMember || membership->standing == store::Standing::kOwner);
}

std::string room_json(const store::RoomInfo& room, const std::optional<store::Membership>& membership,
                      const log::RoomHead& head) {
    JsonObject out;
    out.text("roomId", room.id.str())
        .text("name", room.name)
        .text("kind", name(room.kind))
        .text("visibility", name(room.visibility))
        .text("ownerId", room.owner.str())
        .text("createdAt", format_iso(room.created_at))
        .flag("member", belongs(membership));
    if (membership) out.text("standing", name(membership->standing));
    out.text("epoch", std::to_string(head.epoch.value)).number("headSeq", head.head.value);
    return out.str();
}

std::string member_json(const store::Membership& membership, bool present) {
    return JsonObject{}
        .text("memberId", membership.member.str())
        .text("nickName", membership.nickname)
        .text("standing", name(membership.standing))
        .flag("present", present)
        .str();
}

std::string visitor_json(const MemberId& member, std::string_view nickname) {
    return JsonObject{}
        .text("memberId", member.str())
        .text("nickName", nickname)
        .text("standing", "visitor")
        .flag("present", true)
        .str();
}

std::string position_invalid_json(const log::RoomHead& head) {
    return JsonObject{}
        .text("code", name(Code::kPositionInvalid))
        .text("message", info(Code::kPositionInvalid).english)
        .text("epoch", std::to_string(head.epoch.value))
        .number("firstSeq", head.first.value)
        .number("headSeq", head.head.value)
        .str();
}

namespace {

JsonObject envelope_head(int status, std::string_view message) {
    JsonObject out;
    out.text("resultCode", std::to_string(status) + "-1")
        .number("statusCode", static_cast<std::uint64_t>(status))
        .text("msg", message);
    return out;
}

std::size_t characters(std::string_view utf8) {
    std::size_t count = 0;
    for (const char c : utf8) {
        if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++count;
    }
    return count;
}

}  // namespace

std::string envelope(int status, std::string_view message, std::string_view data) {
    return envelope_head(status, message).raw("data", data).str();
}

std::string refusal_envelope(int status, Code code, std::string_view message) {
    return envelope_head(status, message).raw("data", "null").text("code", name(code)).str();
}

Result<std::string> visible_name(std::string_view text, std::string_view what) {
    std::string clean = auth::clean_nickname(text);
    if (clean.empty() || clean != text || characters(text) > 64) {
        return fail(Code::kInvalidPayload,
                    std::string{what} + " must be 1 to 64 visible characters, without white space at its ends");
    }
    return clean;
}

}  // namespace parley::gateway
