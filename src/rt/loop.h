#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/function.h"
#include "rt/core_local.h"
#include "rt/kernel.h"
#include "rt/mailbox.h"
#include "rt/newcomers.h"
#include "rt/timer_wheel.h"

namespace parley::rt {

/// Told about a descriptor's events, edge-triggered: read until it would block.
class Watcher {
public:
    virtual ~Watcher() = default;
    virtual void on_events(std::uint32_t epoll_events) = 0;
    /// Its turn among the newcomers, where it asked for one.
    virtual void on_welcome() {}
};

/// Does something once at the end of each turn in which it asked for it (Loop::at_turn_end).
class TurnEnd {
public:
    virtual ~TurnEnd() = default;
    virtual void on_turn_end() = 0;

private:
    friend class Loop;
    std::uint32_t slot_ = 0;  ///< where in the loop's list, while queued
    bool queued_ = false;
};

/// One core's event loop. A turn is: wait, descriptors, mailbox, timers, newcomers, then everything that asked for the
/// end of the turn (one write for all dirty connections), then destruction of what was given to bury().
///
/// Thread: run() makes the calling thread the owner; post() and stop() from any thread, everything else by the owner.
/// Owns:   the kernel it speaks to, mailbox, timers and the read buffer that connections borrow.
/// Order:  what one turn gathered for a connection leaves in one write. Nothing called from a turn may block.
class Loop {
public:
    /// `kernel`: null for the plain one.
    Loop(std::size_t index, const Clock& clock, std::unique_ptr<Kernel> kernel = nullptr);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();
    /// One turn without sleeping, for tests that drive the loop themselves.
    void run_once();
    void stop() noexcept;
    void post(Task task) { mailbox_.push(std::move(task)); }

    /// `watcher` gets every event of `fd` until unwatch(). Aborts when the kernel refuses (out of memory).
    void watch(int fd, Watcher& watcher);
    /// No event reaches the watcher after this.
    void unwatch(int fd, Watcher& watcher) noexcept;

    /// Calls entry.on_turn_end() once at the end of this turn; asked for while those run, in the next. The entry must
    /// stay alive or be forgotten.
    void at_turn_end(TurnEnd& entry);
    void forget_turn_end(TurnEnd& entry) noexcept;
    /// Runs `task` when the events of a turn have been handled: of this turn if asked for by one of them, else of the
    /// next, without sleeping in between.
    void next_turn(Task task) { next_turn_.push_back(std::move(task)); }
    /// Destroys `object` after this turn, when no caller can be inside it any more.
    template <class T>
    void bury(std::unique_ptr<T> object) {
        graveyard_.push_back(std::shared_ptr<void>{std::move(object)});
    }

    [[nodiscard]] Kernel& kernel() noexcept { return *kernel_; }
    [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
    [[nodiscard]] Newcomers& newcomers() noexcept { return newcomers_; }
    /// The turn's time: read once per turn.
    [[nodiscard]] SteadyTime now() const noexcept { return now_; }
    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
    void arm(Timer& timer, milliseconds delay) noexcept { timers_.arm(timer, now_ + delay); }
    /// To the millisecond, where a timer's tick is too coarse. For a few at a time: every turn looks at all of them.
    void run_after(milliseconds delay, Task task) { later_.push_back({now_ + delay, std::move(task)}); }
    /// Lent for the time of one read.
    [[nodiscard]] std::span<char> read_buffer() noexcept { return {read_buffer_.get(), kReadBuffer}; }
    [[nodiscard]] std::size_t index() const noexcept { return index_; }

private:
    static constexpr std::size_t kReadBuffer = 64 * 1024;
    static constexpr std::size_t kEventsPerTurn = 512;

    void turn(int wait_milliseconds);
    [[nodiscard]] int wait_milliseconds() noexcept;
    void run_turn_end();
    void run_later();

    const std::size_t index_;
    const Clock& clock_;
    const std::unique_ptr<Kernel> kernel_;
    SteadyTime now_;
    Mailbox mailbox_;
    TimerWheel timers_;
    Newcomers newcomers_;
    SteadyTime ended_;         ///< the last turn
    Newcomers::Busy busy_{0};  ///< all turns together
    std::vector<TurnEnd*> turn_end_;
    std::vector<TurnEnd*> ending_;  ///< what turn_end_ was, while they are called
    std::vector<Task> next_turn_;
    struct Later {
        SteadyTime at;
        Task task;
    };
    std::vector<Later> later_;
    std::vector<std::shared_ptr<void>> graveyard_;
    std::vector<Watcher*> unwatched_;  ///< since the last wait: their pending events are skipped
    std::unique_ptr<char[]> read_buffer_;
    std::atomic<bool> stopping_{false};
    [[no_unique_address]] CoreLocal core_;
};

}  // namespace parley::rt
