#pragma once
#include <atomic>
#include <cstddef>

#include "base/function.h"

namespace parley::rt {

/// The only way into a loop from another thread: a queue of tasks without a lock.
///
/// Thread: push() from any thread; the rest from the owning loop only.
/// Order:  tasks of one pushing thread run in the order they were pushed.
/// Wakes:  push() writes the event descriptor only when the loop may be asleep, so that a busy loop costs no call.
/// Limit:  none of its own: whoever pushes holds a bounded thing (a request, a commit).
class Mailbox {
public:
    Mailbox();
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    void push(Task task);

    /// Readable when something was pushed while asleep.
    [[nodiscard]] int fd() const noexcept { return fd_; }
    /// Announces that the loop is about to sleep. False: something is waiting, do not.
    [[nodiscard]] bool prepare_sleep() noexcept;
    void woke() noexcept;
    /// Runs what was there at the time of the call. Returns how many.
    std::size_t run_pending();
    /// Destroys what was pushed without running it.
    void drop_pending() noexcept;

private:
    struct Node {
        Task task;
        Node* next = nullptr;
    };

    std::atomic<Node*> head_{nullptr};  ///< newest first
    std::atomic<bool> asleep_{false};
    int fd_;
};

}  // namespace parley::rt
