#include "memory_watch.h"

#include <pthread.h>

#include <utility>

namespace parley::app {

MemoryWatch::MemoryWatch(MemoryBudget& budget, const Clock& clock, std::function<void()> on_change)
    : budget_(budget), clock_(clock), on_change_(std::move(on_change)), thread_([this] { run(); }) {
    ::pthread_setname_np(thread_.native_handle(), "parley-memory");
}

MemoryWatch::~MemoryWatch() {
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void MemoryWatch::run() {
    constexpr Bytes kWhole = 1_MiB;
    Bytes told = kWhole;
    std::unique_lock lock{mutex_};
    while (!ending_) {
        budget_.sample(clock_.steady());
        if (const Bytes share = budget_.share(kWhole); share != told) {
            told = share;
            on_change_();
        }
        wake_.wait_for(lock, budget_.next_sample(), [this] { return ending_; });
    }
}

}  // namespace parley::app
