#pragma once
#include <vector>

#include "gateway/replay_source.h"
#include "log/listed_room.h"
#include "log/room_log.h"

namespace parley::gateway {

/// What rooms have got since a time, read from the log of each; not the server's own rooms.
///
/// Thread: one at a time; reads the disk. Borrows the log.
/// Order:  by room id, each room by seq, to where it stood when it was listed.
class RoomsReplay final : public ReplaySource {
public:
    RoomsReplay(log::RoomLog& log, log::ListRooms list, WallTime since)
        : log_(log), list_(std::move(list)), since_(since) {}
    Result<Page> read() override;

private:
    Result<> list_more();
    Result<> read_room(std::string& lines);

    log::RoomLog& log_;
    const log::ListRooms list_;
    const WallTime since_;
    std::vector<log::ListedRoom> rooms_;
    std::size_t next_ = 0;          ///< of `rooms_`
    std::optional<RoomSeq> after_;  ///< in that room; none: it has not begun
    bool has_listed_all_ = false;
};

}  // namespace parley::gateway
