#include "room/subscription.h"

#include "room/local_room.h"

namespace parley::room {

Subscription::~Subscription() { stop(); }

void Subscription::stop() noexcept {
    if (room_ == nullptr) return;
    room_->remove(*this);
    room_ = nullptr;
    state_ = State::kEnded;
}

void Subscription::on_drained() {
    if (state_ != State::kWaiting) return;
    state_ = State::kReading;
    room_->catch_up(*this);
}

RoomSeq Subscription::cursor() const noexcept {
    return state_ == State::kLive ? group_->live[index_].through : cursor_;
}

RoomSeq Subscription::taken_after() const noexcept { return room_ == nullptr ? cursor_ : room_->taken_after_; }

const RoomId& Subscription::room() const noexcept {
    static const RoomId kNone;
    return room_ == nullptr ? kNone : room_->id();
}

}  // namespace parley::room
