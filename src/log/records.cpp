#include "log/records.h"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace parley::log::records {
namespace {

constexpr std::size_t kCreatedAtOffset = 2;  // after format and type

void put_u64(std::string& out, std::uint64_t value) {
    std::array<char, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
    out.append(bytes.data(), bytes.size());
}

std::uint64_t millis(WallTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
WallTime wall(std::uint64_t value) { return WallTime{milliseconds{static_cast<std::int64_t>(value)}}; }

void put_text(std::string& out, std::string_view text) {
    std::size_t size = text.size();
    while (size >= 0x80) {
        out += static_cast<char>(0x80 | (size & 0x7f));
        size >>= 7;
    }
    out += static_cast<char>(size);
    out += text;
}

/// Takes fields off the front; once something was missing, everything after is missing too.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t u8() {
        if (!need(1)) return 0;
        const auto value = static_cast<std::uint8_t>(rest_[0]);
        rest_.remove_prefix(1);
        return value;
    }
    std::uint64_t u64() {
        if (!need(8)) return 0;
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<std::uint8_t>(rest_[static_cast<std::size_t>(i)]);
        rest_.remove_prefix(8);
        return value;
    }
    std::string text() {
        std::size_t size = 0;
        for (int shift = 0; shift <= 28; shift += 7) {
            const std::uint8_t byte = u8();
            size |= static_cast<std::size_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return std::string{take(size)};
        }
        good_ = false;
        return {};
    }
    std::string_view rest() { return take(rest_.size()); }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }

private:
    bool need(std::size_t size) { return good_ = good_ && rest_.size() >= size; }
    std::string_view take(std::size_t size) {
        if (!need(size)) return {};
        const std::string_view out = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return out;
    }

    std::string_view rest_;
    bool good_ = true;
};

Error damaged(std::string_view what) {
    return {Code::kStoreUnavailable, fmt::format("a {} record is shorter or longer than its format says", what)};
}

std::optional<Error> check_format(Reader& in, std::string_view what) {
    const std::uint8_t format = in.u8();
    if (!in.good()) return damaged(what);
    if (format == kFormat) return std::nullopt;
    return Error{Code::kStoreUnavailable,
                 fmt::format("a {} record has format {}; this program reads format {}", what, format, kFormat)};
}

}  // namespace

std::string message_key(RoomNo room, RoomSeq seq) {
    std::string out;
    out.reserve(16);
    put_u64(out, room.value);
    put_u64(out, seq.value);
    return out;
}

Result<MessageKey> parse_message_key(std::string_view key) {
    Reader in{key};
    const MessageKey out{{in.u64()}, {in.u64()}};
    if (!in.at_end()) return fail(damaged("message key"));
    return out;
}

std::string dedup_key(RoomNo room, const MemberId& sender, const MessageId& id) {
    std::string out;
    out.reserve(id.str().size() + 1 + 8 + sender.str().size());
    out += id.str();
    out += '\0';  // no id holds one
    put_u64(out, room.value);
    out += sender.str();
    return out;
}

std::string encode_head(const Head& head) {
    std::string out;
    out.reserve(49);
    out += static_cast<char>(kFormat);
    put_u64(out, head.room.value);
    put_u64(out, head.epoch.value);
    put_u64(out, head.first.value);
    put_u64(out, head.head.value);
    put_u64(out, millis(head.last_created));
    put_u64(out, head.bytes);
    return out;
}

Result<Head> decode_head(std::string_view record) {
    Reader in{record};
    if (auto problem = check_format(in, "room head")) return fail(std::move(*problem));
    Head head;
    head.room = {in.u64()};
    head.epoch = {in.u64()};
    head.first = {in.u64()};
    head.head = {in.u64()};
    head.last_created = wall(in.u64());
    head.bytes = in.u64();
    if (!in.at_end()) return fail(damaged("room head"));
    return head;
}

std::string encode_seen(const Seen& seen) {
    std::string out;
    out.reserve(17);
    out += static_cast<char>(kFormat);
    put_u64(out, seen.seq.value);
    put_u64(out, millis(seen.created_at));
    return out;
}

Result<Seen> decode_seen(std::string_view record) {
    Reader in{record};
    if (auto problem = check_format(in, "dedup")) return fail(std::move(*problem));
    Seen seen;
    seen.seq = {in.u64()};
    seen.created_at = wall(in.u64());
    if (!in.at_end()) return fail(damaged("dedup"));
    return seen;
}

std::string encode_name(const RoomId& room) { return static_cast<char>(kFormat) + room.str(); }

Result<RoomId> decode_name(std::string_view record) {
    Reader in{record};
    if (auto problem = check_format(in, "room name")) return fail(std::move(*problem));
    return RoomId::trusted(std::string{in.rest()});
}

std::string encode_store(Epoch epoch) {
    std::string out;
    out += static_cast<char>(kFormat);
    put_u64(out, epoch.value);
    return out;
}

Result<Epoch> decode_store(std::string_view record) {
    Reader in{record};
    if (auto problem = check_format(in, "store")) return fail(std::move(*problem));
    const Epoch epoch{in.u64()};
    if (!in.at_end()) return fail(damaged("store"));
    return epoch;
}

std::string encode_draft(const Draft& draft) {
    std::string out;
    out.reserve(26 + draft.id.str().size() + draft.sender.str().size() + draft.nickname.size() + draft.extra.size() +
                draft.content.size());
    out += static_cast<char>(kFormat);
    out += static_cast<char>(draft.type);
    put_u64(out, 0);
    put_text(out, draft.id.str());
    put_text(out, draft.sender.str());
    put_text(out, draft.nickname);
    put_text(out, draft.extra);
    out += draft.content;
    return out;
}

void stamp(std::string& record, WallTime created_at) noexcept {
    const std::uint64_t value = millis(created_at);
    for (std::size_t i = 0; i < 8; ++i) record[kCreatedAtOffset + i] = static_cast<char>(value >> (56 - 8 * i));
}

Result<Message> decode_message(std::string_view record, const RoomId& room, RoomSeq seq) {
    Reader in{record};
    if (auto problem = check_format(in, "message")) return fail(std::move(*problem));
    Message out;
    out.type = static_cast<MessageType>(in.u8());
    out.created_at = wall(in.u64());
    out.id = MessageId::trusted(in.text());
    out.sender = MemberId::trusted(in.text());
    out.nickname = in.text();
    out.extra = in.text();
    out.content = in.rest();
    if (!in.good()) return fail(damaged("message"));
    out.room = room;
    out.seq = seq;
    return out;
}

Result<WallTime> decode_created_at(std::string_view record) {
    Reader in{record};
    if (auto problem = check_format(in, "message")) return fail(std::move(*problem));
    in.u8();
    const WallTime out = wall(in.u64());
    if (!in.good()) return fail(damaged("message"));
    return out;
}

}  // namespace parley::log::records
