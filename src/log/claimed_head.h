#pragma once
#include "log/room_log.h"

namespace parley::log {

/// Where the room stands, for who says to have read it to `claimed`. Another server may have told of more than this one
/// has read: a log for which that can be reads on before it says that there is no such message, and fails where it
/// cannot. Waits as read() does.
[[nodiscard]] inline Result<RoomHead> head_for(RoomLog& log, const RoomId& room, RoomSeq claimed) {
    auto head = log.head(room);
    if (!head || claimed <= head->head) return head;
    const auto page = log.read(room, claimed, 1, Bytes{1});
    if (!page) return fail(page.error());
    return page->at;
}

}  // namespace parley::log
