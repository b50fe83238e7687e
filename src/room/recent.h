#pragma once
#include <deque>
#include <list>
#include <span>
#include <vector>

#include "base/message.h"

namespace parley::room {

class Recent;

/// What all rooms of a core may keep of what was said lately.
///
/// Thread: core-local. Owned by the Hub, outlives every Recent.
/// Limit:  `room` bytes for one room, kFullRooms times that for all together. Above it the room that has been silent
///         longest forgets first; what is forgotten is read from the log.
class RecentBudget {
public:
    static constexpr std::size_t kFullRooms = 64;

    RecentBudget(std::size_t room_messages, Bytes room) : room_messages_(room_messages), room_(room) {}

    void set_room(Bytes room);
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    friend class Recent;
    void trim();

    const std::size_t room_messages_;
    Bytes room_;
    std::size_t bytes_ = 0;
    std::list<Recent*> silent_first_;  ///< those that hold something
};

/// The last messages of one room, without a gap.
class Recent {
public:
    explicit Recent(RecentBudget& budget) : budget_(budget) {}
    ~Recent() { clear(); }
    Recent(const Recent&) = delete;
    Recent& operator=(const Recent&) = delete;

    /// `run` follows what was added before.
    void add(std::span<const MessageRef> run);
    void clear();
    /// The messages after `after`, at least one if it is here and `most` is not 0; empty: ask the log.
    [[nodiscard]] std::vector<MessageRef> page(RoomSeq after, std::size_t most, Bytes max) const;

private:
    friend class RecentBudget;
    void trim();
    void forget_oldest();

    RecentBudget& budget_;
    std::deque<MessageRef> messages_;
    std::size_t bytes_ = 0;
    std::list<Recent*> unlisted_{this};
    std::list<Recent*>::iterator place_ = unlisted_.begin();  ///< there, or in silent_first_
};

}  // namespace parley::room
