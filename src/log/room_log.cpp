#include "log/room_log.h"

namespace parley::log {

void RoomLog::append_all(std::vector<Append> appends) {
    for (Append& each : appends) append(std::move(each.request), std::move(each.done));
}

Result<std::vector<RoomHead>> RoomLog::heads(std::span<const RoomId> rooms) {
    std::vector<RoomHead> out;
    out.reserve(rooms.size());
    for (const RoomId& room : rooms) {
        auto at = head(room);
        if (!at) return fail(std::move(at.error()));
        out.push_back(*at);
    }
    return out;
}

}  // namespace parley::log
