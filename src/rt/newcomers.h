#pragma once
#include <cstddef>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace parley::rt {

class Watcher;

/// Whoever is not connected yet waits here for each step of it: to be accepted, for TLS's handshake, for their first
/// request to be read. So a storm of them takes longer, and whoever is connected hardly notices it.
///
/// Thread: core-local, of its loop. Borrows who waits: forget() before they go.
/// Order:  first come, first served.
/// Limit:  a batch is 16 steps or a millisecond of them. After it the loop rests for half as long as it has worked
///         since the batch began, on whatever it was (what a newcomer's first request leads to is most of it), so that
///         the log's writer and the kernel's own threads get the core too; for 8 ms at most, so that newcomers get in
///         where the connected alone keep the loop busy.
class Newcomers {
public:
    static constexpr std::size_t kSteps = 16;
    static constexpr milliseconds kTime{1};
    static constexpr milliseconds kLongest{8};
    using Busy = SteadyTime::duration;

    explicit Newcomers(const Clock& clock) : clock_(clock) {}

    /// `who` gets an on_welcome(). It remembers by itself that it waits.
    void ask(Watcher& who) { waiting_.push_back(&who); }
    void forget(Watcher& who) noexcept;
    /// `busy`: what the loop has worked in all its turns before the one that began `now`.
    void serve(SteadyTime now, Busy busy);
    /// When serve() has something to do; empty: nobody waits.
    [[nodiscard]] std::optional<SteadyTime> next(Busy busy) const noexcept;

private:
    [[nodiscard]] bool batch_is_done() const noexcept { return steps_ >= kSteps || took_ >= kTime; }
    [[nodiscard]] SteadyTime next_batch(Busy busy) const noexcept;

    const Clock& clock_;
    std::deque<Watcher*> waiting_;  ///< null: gone
    SteadyTime begun_{};            ///< the batch
    Busy busy_before_{0};
    std::size_t steps_ = 0;
    SteadyTime::duration took_{0};
};

}  // namespace parley::rt
