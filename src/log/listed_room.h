#pragma once
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::log {

struct ListedRoom {
    RoomId room;
    RoomSeq head;
};

/// The rooms behind `after`, in the order of their ids, that have got a message at `since` or later; without the
/// server's own. At most `limit`: fewer are the last. May touch the disk.
using ListRooms =
    std::function<Result<std::vector<ListedRoom>>(const RoomId& after, WallTime since, std::size_t limit)>;

}  // namespace parley::log
