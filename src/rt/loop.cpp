#include "rt/loop.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "rt/system_kernel.h"

namespace parley::rt {

Loop::Loop(std::size_t index, const Clock& clock, std::unique_ptr<Kernel> kernel)
    : index_(index),
      clock_(clock),
      kernel_(kernel != nullptr ? std::move(kernel) : std::make_unique<SystemKernel>()),
      now_(clock.steady()),
      timers_(now_),
      newcomers_(clock),
      ended_(now_),
      read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBuffer)) {
    (void)kernel_->watch(mailbox_.fd(), EPOLLIN, nullptr);  // null: the mailbox
}

Loop::~Loop() {
    mailbox_.drop_pending();
    // What is destroyed here may ask the loop for something once more.
    while (!graveyard_.empty() || !next_turn_.empty() || !later_.empty()) {
        const auto dead = std::exchange(graveyard_, {});
        const auto later = std::exchange(later_, {});
        const auto tasks = std::exchange(next_turn_, {});
    }
}

void Loop::run() {
    core_.check();
    ended_ = clock_.steady();
    while (!stopping_.load(std::memory_order_acquire)) turn(wait_milliseconds());
}

void Loop::run_once() {
    core_.check();
    turn(0);
}

void Loop::stop() noexcept {
    post([this] { stopping_.store(true, std::memory_order_release); });
}

void Loop::watch(int fd, Watcher& watcher) {
    const int error = kernel_->watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &watcher);
    if (error != 0) {
        std::fprintf(stderr, "epoll_ctl: %s\n", std::strerror(-error));
        std::abort();
    }
}

void Loop::unwatch(int fd, Watcher& watcher) noexcept {
    kernel_->unwatch(fd);
    unwatched_.push_back(&watcher);
}

void Loop::at_turn_end(TurnEnd& entry) {
    core_.check();
    if (entry.queued_) return;
    entry.queued_ = true;
    entry.slot_ = static_cast<std::uint32_t>(turn_end_.size());
    turn_end_.push_back(&entry);
}

void Loop::forget_turn_end(TurnEnd& entry) noexcept {
    if (!entry.queued_) return;
    entry.queued_ = false;
    const bool is_ending = entry.slot_ < ending_.size() && ending_[entry.slot_] == &entry;
    (is_ending ? ending_ : turn_end_)[entry.slot_] = nullptr;
}

int Loop::wait_milliseconds() noexcept {
    if (!next_turn_.empty() || !turn_end_.empty() || !graveyard_.empty()) return 0;
    auto deadline = timers_.next_deadline();
    if (const auto next = newcomers_.next(busy_)) deadline = std::min(deadline.value_or(*next), *next);
    int wait = -1;
    for (const Later& later : later_) deadline = std::min(deadline.value_or(later.at), later.at);
    if (deadline) {
        const auto left = std::chrono::ceil<milliseconds>(*deadline - ended_).count();
        wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    return wait != 0 && !mailbox_.prepare_sleep() ? 0 : wait;
}

void Loop::turn(int wait_milliseconds) {
    // Events come only for what is watched now; a new watcher may have the address of one that has gone.
    unwatched_.clear();
    std::array<epoll_event, kEventsPerTurn> events;
    const std::size_t count = kernel_->wait(events, wait_milliseconds);
    mailbox_.woke();
    now_ = clock_.steady();

    for (const epoll_event& event : std::span{events}.first(count)) {
        auto* watcher = static_cast<Watcher*>(event.data.ptr);
        if (watcher == nullptr) {
            std::uint64_t drained = 0;
            [[maybe_unused]] const auto n = ::read(mailbox_.fd(), &drained, sizeof drained);
            continue;
        }
        if (std::find(unwatched_.begin(), unwatched_.end(), watcher) != unwatched_.end()) continue;
        watcher->on_events(event.events);
    }
    unwatched_.clear();

    std::vector<Task> tasks;
    tasks.swap(next_turn_);
    for (Task& task : tasks) task();
    tasks.clear();
    mailbox_.run_pending();
    timers_.advance(now_);
    run_later();
    newcomers_.serve(now_, busy_);
    run_turn_end();
    // Destroying one thing may bury another: that one waits for the next turn.
    std::exchange(graveyard_, {}).clear();
    ended_ = clock_.steady();
    busy_ += ended_ - now_;
}

void Loop::run_later() {
    for (std::size_t i = 0; i < later_.size();) {
        if (later_[i].at > now_) {
            ++i;
            continue;
        }
        Task task = std::move(later_[i].task);
        later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(i));
        task();
    }
}

void Loop::run_turn_end() {
    // An entry may ask again from inside (a drained connection gets its next page): those wait for the next turn.
    ending_.swap(turn_end_);
    for (std::size_t i = 0; i < ending_.size(); ++i) {
        TurnEnd* const entry = std::exchange(ending_[i], nullptr);
        if (entry == nullptr) continue;
        entry->queued_ = false;
        entry->on_turn_end();
    }
    ending_.clear();
}

}  // namespace parley::rt
