#pragma once
#include <deque>

#include "base/function.h"
#include "base/memory_budget.h"
#include "rt/loop.h"

namespace parley::gateway {

/// Where whatever would make the process grow waits while its memory budget is full: a SEND, the rest of a large
/// message.
///
/// Thread: core-local. Borrows loop and budget.
/// Order:  first come, first let through, one after the other, as long as the budget is not full again; where it
///         stays full for 10 s, a few every 20 ms from then on.
/// Limit:  whoever waits reads no more of its socket, so each waits once.
class MemoryGate {
public:
    MemoryGate(rt::Loop& loop, const MemoryBudget& budget)
        : loop_(loop), budget_(budget), timer_(rt::Timer::of<&MemoryGate::open>(this)) {}

    [[nodiscard]] bool is_shut() const noexcept { return budget_.is_full(); }
    [[nodiscard]] bool refuses_connections() const noexcept { return budget_.refuses_connections(); }
    /// `pass` runs later, on this loop. It holds what it needs weakly: the waiting one may go meanwhile.
    void wait(UniqueFunction<void()> pass);
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    void open();

    rt::Loop& loop_;
    const MemoryBudget& budget_;
    rt::Timer timer_;
    std::deque<UniqueFunction<void()>> waiting_;
    SteadyTime shut_since_;  ///< as far as somebody waits
};

}  // namespace parley::gateway
