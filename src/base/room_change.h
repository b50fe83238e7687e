#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace parley {

/// What a SYSTEM record says about who may be in a room. The log's order decides: a right ends at the record's seq.
struct RoomChange {
    enum class Kind : std::uint8_t { kInvited, kJoined, kLeft, kKicked, kMadePrivate, kMadePublic };
    Kind kind;
    MemberId member;  ///< empty for kMadePrivate and kMadePublic
};

/// The JSON members a SYSTEM message carries: `"event":"KICKED","memberId":"u-9"`.
[[nodiscard]] std::string to_extra(const RoomChange& change);
/// Empty when `extra` is not one that to_extra() made.
[[nodiscard]] std::optional<RoomChange> parse_room_change(std::string_view extra);

}  // namespace parley
