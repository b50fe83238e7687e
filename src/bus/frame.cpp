#include "bus/frame.h"

#include <algorithm>

#include "base/byte_codec.h"
#include "base/mac.h"

namespace parley::bus {
namespace {

constexpr std::size_t kMac = 16;
constexpr std::size_t kHead = 2 + 3 * 8;

enum class Kind : std::uint8_t { kMessages = 1, kRoomEvent = 2, kNotice = 3 };

ByteWriter begin(Kind kind, const FrameHead& head) {
    ByteWriter out;
    out.byte(FrameCodec::kVersion);
    out.byte(static_cast<std::uint8_t>(kind));
    out.number(head.server);
    out.number(head.number);
    out.time(head.sent_at);
    return out;
}

void write(ByteWriter& out, const Message& message) {
    out.text(message.room.str());
    out.number(message.seq.value);
    out.time(message.created_at);
    out.text(message.id.str());
    out.text(message.sender.str());
    out.byte(static_cast<std::uint8_t>(message.type));
    out.text(message.nickname);
    out.text(message.content);
    out.text(message.extra);
}

MessageRef read_message(ByteReader& in) {
    auto out = std::make_shared<Message>();
    out->room = RoomId::trusted(in.text());
    out->seq = {in.number()};
    out->created_at = in.time();
    out->id = MessageId::trusted(in.text());
    out->sender = MemberId::trusted(in.text());
    out->type = static_cast<MessageType>(in.byte());
    out->nickname = in.text();
    out->content = in.text();
    out->extra = in.text();
    return out;
}

std::vector<MessageRef> read_messages(ByteReader& in) {
    std::vector<MessageRef> out;
    const std::uint64_t count = in.number(4);
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) out.push_back(read_message(in));
    return out;
}

RoomEvent read_event(ByteReader& in) {
    RoomEvent out;
    out.room = RoomId::trusted(in.text());
    out.json = in.text();
    return out;
}

Notice read_notice(ByteReader& in) {
    Notice out{};
    out.kind = static_cast<Notice::Kind>(in.byte());
    out.subject = in.text();
    out.body = in.text();
    out.at = in.time();
    return out;
}

}  // namespace

std::string FrameCodec::encode(const FrameHead& head, std::span<const MessageRef> messages) const {
    ByteWriter out = begin(Kind::kMessages, head);
    std::size_t bytes = 4;
    for (const MessageRef& m : messages) {
        bytes += m->content.size() + m->extra.size() + m->room.str().size() + m->id.str().size() + 128;
    }
    out.reserve(bytes + kMac);
    out.number(messages.size(), 4);
    for (const MessageRef& message : messages) write(out, *message);
    return seal(out.take());
}

std::string FrameCodec::encode(const FrameHead& head, const RoomEvent& event) const {
    ByteWriter out = begin(Kind::kRoomEvent, head);
    out.text(event.room.str());
    out.text(event.json);
    return seal(out.take());
}

std::string FrameCodec::encode(const FrameHead& head, const Notice& notice) const {
    ByteWriter out = begin(Kind::kNotice, head);
    out.byte(static_cast<std::uint8_t>(notice.kind));
    out.text(notice.subject);
    out.text(notice.body);
    out.time(notice.at);
    return seal(out.take());
}

std::string FrameCodec::seal(std::string bytes) const {
    bytes += hmac_sha256(keys_.front(), bytes).substr(0, kMac);
    return bytes;
}

bool FrameCodec::is_ours(std::string_view bytes, std::string_view mac) const {
    return std::ranges::any_of(keys_, [&](const std::string& key) {
        return same_bytes(std::string_view{hmac_sha256(key, bytes)}.substr(0, kMac), mac);
    });
}

Result<Frame> FrameCodec::decode(std::string_view bytes) const {
    if (bytes.empty()) return fail(Code::kBadRequest, "it is empty");
    const auto version = static_cast<std::uint8_t>(bytes.front());
    if (version != kVersion) {
        return fail(Code::kBadRequest,
                    "it has format " + std::to_string(version) + ", this server reads " + std::to_string(kVersion));
    }
    if (bytes.size() < kHead + kMac) return fail(Code::kBadRequest, "it is cut short");
    const auto mac = bytes.substr(bytes.size() - kMac);
    bytes.remove_suffix(kMac);
    if (!is_ours(bytes, mac)) {
        return fail(Code::kBadRequest, "it is not signed with this fleet's secret (fleet.secret, auth.secret)");
    }
    ByteReader in{bytes.substr(1)};
    const auto kind = static_cast<Kind>(in.byte());
    Frame out;
    out.head = {.server = in.number(), .number = in.number(), .sent_at = in.time()};
    switch (kind) {
        case Kind::kMessages: out.body = read_messages(in); break;
        case Kind::kRoomEvent: out.body = read_event(in); break;
        case Kind::kNotice: out.body = read_notice(in); break;
        default: return fail(Code::kBadRequest, "its kind is not known");
    }
    if (!in.ok() || !in.is_at_end()) return fail(Code::kBadRequest, "its body is not what its kind says");
    return out;
}

}  // namespace parley::bus
