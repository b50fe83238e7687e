#pragma once
#include <memory>

#include "base/function.h"
#include "base/ids.h"
#include "rt/loop.h"

namespace parley::gateway {

/// Ends when its last copy is gone.
using RoomTurn = std::shared_ptr<void>;

/// Lets one change of a room's membership be judged and made at a time, so that none is judged by what another has
/// just ended: a kick and a join that meet have an order.
///
/// Thread: any. What waits goes on on its own loop.
/// Order:  first come, first served, per room.
class RoomTurns {
public:
    RoomTurns();
    ~RoomTurns();
    RoomTurns(const RoomTurns&) = delete;
    RoomTurns& operator=(const RoomTurns&) = delete;

    /// `go(turn)` runs on `loop`, the caller's: at once where nobody is before it.
    void take(const RoomId& room, rt::Loop& loop, UniqueFunction<void(RoomTurn)> go);

private:
    struct State;
    static RoomTurn turn(const std::shared_ptr<State>& state, const RoomId& room);
    static void pass_on(const std::shared_ptr<State>& state, const RoomId& room);
    std::shared_ptr<State> state_;
};

}  // namespace parley::gateway
