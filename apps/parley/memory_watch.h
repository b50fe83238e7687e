#pragma once
#include <functional>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "rt/periodic.h"

namespace parley::app {

/// Samples the process's memory, ten times a second and fifty where much of the budget is used.
/// Thread: its own, until it is destroyed; `on_change` is told there whenever a connection's share has changed.
class MemoryWatch {
public:
    MemoryWatch(MemoryBudget& budget, const Clock& clock, std::function<void()> on_change);

private:
    milliseconds sample();

    MemoryBudget& budget_;
    const Clock& clock_;
    std::function<void()> on_change_;
    Bytes told_{1_MiB};  ///< of a connection's 1 MiB, its share
    rt::Periodic thread_;
};

}  // namespace parley::app
