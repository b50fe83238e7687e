#include "log/room_log.h"

#include "base/uuid.h"

namespace parley::log {

void AppendRequest::give_ids(WallTime now) {
    for (Draft& draft : drafts) {
        if (!draft.id.empty()) continue;
        draft.id = MessageId::trusted(make_uuid7(now));
        draft.fresh_id = true;
    }
}

void RoomLog::append(AppendRequest request, AppendDone done) {
    std::vector<Append> one;
    one.push_back({std::move(request), std::move(done)});
    append_all(std::move(one));
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
