#include "rt/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace parley::rt {
namespace {

template <std::size_t... I>
std::array<Timer, sizeof...(I)> make_heads(std::index_sequence<I...>) {
    return {((void)I, Timer{nullptr, nullptr})...};
}

}  // namespace

void Timer::cancel() noexcept {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
}

TimerWheel::TimerWheel(SteadyTime now) noexcept : start_(now), slots_(make_heads(std::make_index_sequence<kSlots>{})) {
    for (Timer& head : slots_) head.prev_ = head.next_ = &head;
}

TimerWheel::~TimerWheel() {
    for (Timer& head : slots_) {
        while (head.next_ != &head) head.next_->cancel();
        head.prev_ = head.next_ = nullptr;
    }
}

std::uint64_t TimerWheel::tick_of(SteadyTime time) const noexcept {
    if (time <= start_) return 0;
    return static_cast<std::uint64_t>((time - start_) / kTick);
}

void TimerWheel::arm(Timer& timer, SteadyTime deadline) noexcept {
    core_.check();
    timer.cancel();
    // One tick later than the floor: never early. Not in the past: that slot was fired already.
    timer.due_ = std::max(tick_of(deadline) + 1, now_tick_ + 1);
    Timer& head = slots_[timer.due_ % kSlots];
    timer.prev_ = head.prev_;
    timer.next_ = &head;
    head.prev_->next_ = &timer;
    head.prev_ = &timer;
    used_[timer.due_ % kSlots / 64] |= std::uint64_t{1} << (timer.due_ % 64);
}

void TimerWheel::advance(SteadyTime now) {
    core_.check();
    const std::uint64_t target = tick_of(now);
    if (target <= now_tick_) return;
    // After a long sleep each slot needs one visit only: due_ decides.
    std::uint64_t tick = target - now_tick_ > kSlots ? target - kSlots + 1 : now_tick_ + 1;
    now_tick_ = target;
    for (; tick <= target; ++tick) fire_slot(tick);
}

void TimerWheel::fire_slot(std::uint64_t tick) {
    Timer& head = slots_[tick % kSlots];
    // The due ones move to a list of their own, so that callbacks may change the slot.
    Timer due{nullptr, nullptr};
    due.prev_ = due.next_ = &due;
    for (Timer* timer = head.next_; timer != &head;) {
        Timer* next = timer->next_;
        if (timer->due_ <= now_tick_) {
            timer->cancel();
            timer->prev_ = due.prev_;
            timer->next_ = &due;
            due.prev_->next_ = timer;
            due.prev_ = timer;
        }
        timer = next;
    }
    while (due.next_ != &due) {
        Timer* timer = due.next_;
        timer->cancel();
        timer->callback_(timer->owner_);
    }
    due.prev_ = due.next_ = nullptr;
}

std::optional<SteadyTime> TimerWheel::next_deadline() const noexcept {
    for (std::uint64_t tick = now_tick_ + 1; tick <= now_tick_ + kSlots;) {
        std::uint64_t& word = used_[tick % kSlots / 64];
        const std::uint64_t ahead = word >> (tick % 64);
        if (ahead == 0) {
            tick += 64 - tick % 64;
            continue;
        }
        tick += static_cast<std::uint64_t>(std::countr_zero(ahead));
        const Timer& head = slots_[tick % kSlots];
        if (head.next_ != &head) return start_ + kTick * static_cast<std::int64_t>(tick);
        word &= ~(std::uint64_t{1} << (tick % 64));
        ++tick;
    }
    return std::nullopt;
}

}  // namespace parley::rt
