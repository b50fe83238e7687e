#pragma once
#include <optional>

#include "log/room_log.h"

namespace parley::log {

/// Where the room stands, for who says to have read it to `claimed`. Another server may have told of more than this one
/// has read: a log for which that can be reads on before it says that there is no such message, and fails where it
/// cannot. Of another `epoch` it is no position here. Waits as read() does.
[[nodiscard]] inline Result<RoomHead> head_for(RoomLog& log, const RoomId& room, RoomSeq claimed,
                                               std::optional<Epoch> epoch = {}) {
    auto head = log.head(room);
    if (!head || claimed <= head->head || (epoch && *epoch != head->epoch)) return head;
    const auto page = log.read(room, claimed, 1, Bytes{1});
    if (!page) return fail(page.error());
    return page->at;
}

}  // namespace parley::log
