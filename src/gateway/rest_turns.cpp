#include "gateway/rest_turns.h"

#include <deque>
#include <mutex>
#include <unordered_map>

namespace parley::gateway {

struct RoomTurns::State {
    struct Waiting {
        rt::Loop& loop;
        UniqueFunction<void(RoomTurn)> go;
    };
    std::mutex mutex;
    std::unordered_map<RoomId, std::deque<Waiting>> rooms;  ///< a room is here while somebody has its turn
    bool ended = false;
};

RoomTurns::RoomTurns() : state_(std::make_shared<State>()) {}

RoomTurns::~RoomTurns() {
    // Loops end after this: what still waits goes nowhere.
    std::unordered_map<RoomId, std::deque<State::Waiting>> waiting;
    const std::lock_guard lock{state_->mutex};
    state_->ended = true;
    waiting.swap(state_->rooms);
}

RoomTurn RoomTurns::turn(const std::shared_ptr<State>& state, const RoomId& room) {
    return RoomTurn{state.get(), [state, room](void*) { pass_on(state, room); }};
}

void RoomTurns::take(const RoomId& room, rt::Loop& loop, UniqueFunction<void(RoomTurn)> go) {
    {
        const std::lock_guard lock{state_->mutex};
        const auto [found, is_first] = state_->rooms.try_emplace(room);
        if (!is_first) {
            found->second.push_back({loop, std::move(go)});
            return;
        }
    }
    go(turn(state_, room));
}

void RoomTurns::pass_on(const std::shared_ptr<State>& state, const RoomId& room) {
    const std::lock_guard lock{state->mutex};
    const auto found = state->rooms.find(room);
    if (state->ended || found == state->rooms.end()) return;
    if (found->second.empty()) {
        state->rooms.erase(found);
        return;
    }
    State::Waiting next = std::move(found->second.front());
    found->second.pop_front();
    next.loop.post([next_turn = turn(state, room), go = std::move(next.go)]() mutable { go(std::move(next_turn)); });
}

}  // namespace parley::gateway
