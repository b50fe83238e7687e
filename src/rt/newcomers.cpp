#include "rt/newcomers.h"

#include <algorithm>
#include <utility>

#include "rt/loop.h"

namespace parley::rt {

void Newcomers::forget(Watcher& who) noexcept {
    std::replace(waiting_.begin(), waiting_.end(), &who, static_cast<Watcher*>(nullptr));
}

SteadyTime Newcomers::next_batch(Busy busy) const noexcept {
    const Busy worked = busy - busy_before_;
    return begun_ + std::min<Busy>(worked + worked / 2, kLongest);
}

std::optional<SteadyTime> Newcomers::next(Busy busy) const noexcept {
    if (waiting_.empty()) return std::nullopt;
    return batch_is_done() ? next_batch(busy) : begun_;
}

void Newcomers::serve(SteadyTime now, Busy busy) {
    if (waiting_.empty()) return;
    if (now >= next_batch(busy)) {
        begun_ = now;
        busy_before_ = busy;
        steps_ = 0;
        took_ = {};
    }
    for (SteadyTime before = clock_.steady(); !batch_is_done() && !waiting_.empty();) {
        Watcher* const who = waiting_.front();
        waiting_.pop_front();
        if (who == nullptr) continue;
        ++steps_;
        who->on_welcome();
        const SteadyTime after = clock_.steady();
        took_ += after - std::exchange(before, after);
    }
}

}  // namespace parley::rt
