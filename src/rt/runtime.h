#pragma once
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "rt/loop.h"

namespace parley::rt {

/// The loops of the process, one per core, and their threads.
///
/// Thread: built and stopped by the main thread. loop(i).post() from any.
/// Order:  for_each() runs on every loop and returns when all have done it; never call it from a loop.
class Runtime {
public:
    /// A loop that cannot have the wanted kernel has the plain one: whoever must know asks make_kernel() before.
    Runtime(std::size_t threads, const Clock& clock, FlushKind flush = FlushKind::kWritev);
    ~Runtime();

    [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
    [[nodiscard]] Loop& loop(std::size_t index) noexcept { return *loops_[index]; }
    void for_each(const std::function<void(Loop&)>& body);
    /// Ends the loops and joins their threads. What was posted and not run is dropped.
    void stop();

private:
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::thread> threads_;
};

}  // namespace parley::rt
