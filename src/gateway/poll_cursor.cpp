#include "gateway/poll_cursor.h"

#include <algorithm>

#include "auth/encoding.h"
#include "base/mac.h"

namespace parley::gateway {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kMac = 16;
constexpr std::size_t kMaxText = 4096;

template <class T>
void append_fixed(std::string& out, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i));
}

template <class T>
bool take_fixed(std::string_view& from, T& value) {
    if (from.size() < sizeof value) return false;
    value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value |= static_cast<T>(static_cast<unsigned char>(from[i])) << (8 * i);
    from.remove_prefix(sizeof value);
    return true;
}

void append_number(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

bool take_number(std::string_view& from, std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

std::string mac_of(std::string_view key, std::string_view bytes) { return hmac_sha256(key, bytes).substr(0, kMac); }

}  // namespace

std::uint64_t PollPlaces::tag(std::string_view id) noexcept {
    std::uint64_t value = 0;
    const std::string digest = auth::sha256(id);
    std::string_view bytes{digest};
    take_fixed(bytes, value);
    return value;
}

std::uint32_t PollPlaces::fold(Epoch epoch) noexcept {
    return static_cast<std::uint32_t>(epoch.value ^ (epoch.value >> 32));
}

const PollPlaces::Place* PollPlaces::find(const RoomId& room) const noexcept {
    const auto at = std::ranges::lower_bound(places_, tag(room.str()), {}, &Place::room);
    return at != places_.end() && at->room == tag(room.str()) ? &*at : nullptr;
}

void PollPlaces::put(const RoomId& room, Epoch epoch, RoomSeq seq) {
    const Place place{tag(room.str()), seq.value, fold(epoch)};
    const auto at = std::ranges::lower_bound(places_, place.room, {}, &Place::room);
    if (at != places_.end() && at->room == place.room) {
        *at = place;
    } else {
        places_.insert(at, place);
    }
}

void PollPlaces::advance(const RoomId& room, RoomSeq seq) noexcept {
    std::ranges::lower_bound(places_, tag(room.str()), {}, &Place::room)->seq = seq.value;
}

std::string CursorSeal::seal(const PollPlaces& places) const {
    std::string bytes(1, kVersion);
    append_fixed(bytes, places.member_);
    for (const PollPlaces::Place& place : places.places_) {
        append_fixed(bytes, place.room);
        append_fixed(bytes, place.epoch);
        append_number(bytes, place.seq);
    }
    return auth::base64url(bytes + mac_of(keys_.front(), bytes));
}

std::optional<PollPlaces> CursorSeal::open(std::string_view text) const {
    if (text.size() > kMaxText) return std::nullopt;
    const auto sealed = auth::from_base64url(text);
    if (!sealed || sealed->size() < kMac + 1) return std::nullopt;
    const std::string_view mac = std::string_view{*sealed}.substr(sealed->size() - kMac);
    std::string_view bytes = std::string_view{*sealed}.substr(0, sealed->size() - kMac);
    const bool ours =
        std::ranges::any_of(keys_, [&](const std::string& key) { return same_bytes(mac_of(key, bytes), mac); });
    if (!ours || bytes.front() != kVersion) return std::nullopt;
    bytes.remove_prefix(1);
    PollPlaces places;
    if (!take_fixed(bytes, places.member_)) return std::nullopt;
    while (!bytes.empty()) {
        PollPlaces::Place place{};
        if (!take_fixed(bytes, place.room) || !take_fixed(bytes, place.epoch) || !take_number(bytes, place.seq)) {
            return std::nullopt;
        }
        places.places_.push_back(place);
    }
    return places;
}

}  // namespace parley::gateway
