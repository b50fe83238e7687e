#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/function.h"
#include "rt/asker.h"
#include "store/directory.h"

namespace parley::chat {

/// What a decision about a room needs: the room, and how the member stands in it.
struct RoomView {
    std::optional<store::RoomInfo> room;
    std::optional<store::Membership> membership;
};

/// This core's memory of rooms and standings, so that judging a SEND reads no disk.
///
/// Thread: core-local. Borrows the directory and the asker; both outlive it.
/// Order:  forget() comes with every change (the bus's kRoomChanged), forget_all() where changes may have been missed;
///         an answer that was asked for before is handed on but not remembered.
/// Limit:  kMaxViews; beyond it everything is forgotten and read again. What nobody asks for is forgotten after one to
///         two minutes: whoever only listens costs nothing here.
class RoomBook {
public:
    RoomBook(store::Directory& directory, rt::Asker& asker) : directory_(directory), asker_(asker) {}

    /// Null when it has to be asked for with learn().
    [[nodiscard]] const RoomView* find(const RoomId& room, const MemberId& member);
    void learn(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<RoomView>)> then);
    void forget(const RoomId& room);
    void forget_all();
    /// About once a second: looks at a share of the rooms.
    void forget_unused();

private:
    static constexpr std::size_t kMaxViews = 100'000;
    static constexpr std::size_t kShares = 60;
    struct View : RoomView {
        bool used = true;  ///< since it was looked at last
    };
    struct Room {
        std::unordered_map<MemberId, View> views;
    };

    void drop_all();
    [[nodiscard]] std::uint64_t& changes(const RoomId& room) {
        return changes_[std::hash<RoomId>{}(room) % changes_.size()];
    }

    store::Directory& directory_;
    rt::Asker& asker_;
    std::unordered_map<RoomId, Room> rooms_;
    std::size_t views_ = 0;
    std::size_t share_ = 0;  ///< the next one
    /// Counts forget()s, those of a few rooms together: an answer that is older than one is not remembered.
    std::array<std::uint64_t, 256> changes_{};
};

}  // namespace parley::chat
