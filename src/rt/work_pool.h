#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/function.h"

namespace parley::rt {

/// A few threads for work that blocks (log and directory reads, Argon2), so that no loop ever does.
///
/// Thread: any may submit. Owns its threads; the destructor runs what was accepted, then joins.
/// Order:  first in, first out; with more than one thread, finishing order is open.
/// Limit:  `queue_limit` waiting tasks; beyond it try_submit() refuses and the caller answers 503.
class WorkPool {
public:
    WorkPool(std::string name, std::size_t threads, std::size_t queue_limit);
    ~WorkPool();
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    /// False, without effect, when the queue is full or the pool is ending.
    [[nodiscard]] bool try_submit(Task task);
    /// Runs the oldest waiting task on the calling thread; false when none waits. A pool without threads runs nothing
    /// by itself: tests decide when an answer comes.
    bool run_one();
    [[nodiscard]] std::size_t waiting() const;

private:
    void run();

    const std::size_t queue_limit_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Task> queue_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace parley::rt
