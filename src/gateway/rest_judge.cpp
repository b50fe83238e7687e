#include "gateway/rest_judge.h"

namespace parley::gateway {

Result<RoomEntry> RoomJudge::operator()() const {
    auto room = directory_.room(room_);
    if (!room) return fail(room.error());
    std::optional<store::Membership> membership;
    if (room->has_value()) {
        auto found = directory_.membership(room_, member_);
        if (!found) return fail(found.error());
        membership = std::move(*found);
    }
    const auth::Decision decision = auth::decide({.operation = operation_,
                                                  .destination = auth::of_room(room_),
                                                  .who = {member_, false},
                                                  .room = *room,
                                                  .membership = membership,
                                                  .auto_create = auto_create_});
    if (!decision.allowed) return fail(decision.to_result().error());
    return RoomEntry{{std::move(*room), std::move(membership)}, decision.creates_room};
}

}  // namespace parley::gateway
