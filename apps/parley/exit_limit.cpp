#include "exit_limit.h"

#include <unistd.h>

#include <utility>

#include "base/logger.h"

namespace parley::app {
namespace {
constexpr seconds kClosing{1};
}

ExitLimit::~ExitLimit() {
    {
        const std::lock_guard lock{mutex_};
        done_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void ExitLimit::begin(milliseconds limit) {
    thread_ = std::thread{[this, limit] {
        std::unique_lock lock{mutex_};
        if (changed_.wait_for(lock, limit + kClosing, [this] { return done_; })) return;
        logger::warn("parley", "the end takes longer than drain.limit and is not waited for", {{"waits_for", what_}});
        ::_exit(0);
    }};
}

void ExitLimit::waits_for(std::string what) {
    const std::lock_guard lock{mutex_};
    what_ = std::move(what);
}

}  // namespace parley::app
