#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace parley::gateway {

/// Where a poll of all a member's rooms stands in each of them. Value type; no IO.
/// Size: 24 bytes a room, so that 64 of them fit into a waiting poll and, sealed, into a request's head.
class PollPlaces {
public:
    struct Place {
        std::uint64_t room;   ///< of its id, see tag()
        std::uint64_t seq;    ///< everything up to here has been handed over
        std::uint32_t epoch;  ///< folded
    };
    PollPlaces() = default;
    explicit PollPlaces(const MemberId& member) : member_(tag(member.str())) {}

    [[nodiscard]] const Place* find(const RoomId& room) const noexcept;
    void put(const RoomId& room, Epoch epoch, RoomSeq seq);
    /// Requires find(room).
    void advance(const RoomId& room, RoomSeq seq) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool is_of(const MemberId& member) const noexcept { return member_ == tag(member.str()); }
    [[nodiscard]] static std::uint32_t fold(Epoch epoch) noexcept;

private:
    friend class CursorSeal;
    [[nodiscard]] static std::uint64_t tag(std::string_view id) noexcept;
    std::uint64_t member_ = 0;
    std::vector<Place> places_;  ///< by room
};

/// Makes `X-Parley-Cursor` and reads it: the places, a format version and a MAC, as text that no client can make or
/// change. It holds as long as a key does, on every server and across restarts.
/// Thread: any; immutable.
class CursorSeal {
public:
    /// The first key seals; all open.
    explicit CursorSeal(std::vector<std::string> keys) : keys_(std::move(keys)) {}
    [[nodiscard]] std::string seal(const PollPlaces& places) const;
    /// nullopt unless one of the keys sealed it.
    [[nodiscard]] std::optional<PollPlaces> open(std::string_view text) const;

private:
    std::vector<std::string> keys_;
};

}  // namespace parley::gateway
