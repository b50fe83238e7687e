#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/memory_budget.h"

namespace parley::app {

/// Samples the process's memory, ten times a second and fifty where much of the budget is used.
/// Thread: its own, until it is destroyed; `on_change` is told there whenever a connection's share has changed.
class MemoryWatch {
public:
    MemoryWatch(MemoryBudget& budget, const Clock& clock, std::function<void()> on_change);
    ~MemoryWatch();

private:
    void run();

    MemoryBudget& budget_;
    const Clock& clock_;
    std::function<void()> on_change_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace parley::app
