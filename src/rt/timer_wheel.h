#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "base/units.h"
#include "rt/core_local.h"

namespace parley::rt {

class TimerWheel;

/// One deadline of one owner, kept inside the owner. Destroying or re-arming it cancels what was armed.
/// Thread: core-local. Size: what an idle session pays, so no allocation and no std::function.
class Timer {
public:
    using Callback = void (*)(void* owner);

    Timer(Callback callback, void* owner) noexcept : callback_(callback), owner_(owner) {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// A Timer that calls `(owner->*Method)()`.
    template <auto Method, class Owner>
    static Timer of(Owner* owner) noexcept {
        return Timer{[](void* self) { (static_cast<Owner*>(self)->*Method)(); }, owner};
    }

    void cancel() noexcept;
    [[nodiscard]] bool armed() const noexcept { return next_ != nullptr; }

private:
    friend class TimerWheel;
    Timer* prev_ = nullptr;
    Timer* next_ = nullptr;
    std::uint64_t due_ = 0;  ///< tick
    Callback callback_;
    void* owner_;
};

/// The timers of one loop: arming, cancelling and firing cost the same however many there are.
///
/// Thread: core-local.
/// Order:  a timer fires at its deadline or up to one tick (10 ms) after it, never before; timers of one tick in
///         any order. A callback may arm, cancel or destroy any timer, its own included.
class TimerWheel {
public:
    static constexpr milliseconds kTick{10};

    explicit TimerWheel(SteadyTime now) noexcept;
    ~TimerWheel();

    void arm(Timer& timer, SteadyTime deadline) noexcept;
    /// Fires what is due at `now`.
    void advance(SteadyTime now);
    /// When advance() has something to do next; empty when nothing is armed. May be early, never late.
    [[nodiscard]] std::optional<SteadyTime> next_deadline() const noexcept;

private:
    static constexpr std::size_t kSlots = 4096;  // one turn is 41 s; later deadlines stay in their slot for more turns

    [[nodiscard]] std::uint64_t tick_of(SteadyTime time) const noexcept;
    void fire_slot(std::uint64_t tick);

    SteadyTime start_;
    std::uint64_t now_tick_ = 0;
    std::array<Timer, kSlots> slots_;  ///< list heads
    /// A bit per slot that may hold a timer; cleared when a visit finds the slot empty.
    mutable std::array<std::uint64_t, kSlots / 64> used_{};
    [[no_unique_address]] CoreLocal core_;
};

}  // namespace parley::rt
