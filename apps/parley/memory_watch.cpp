#include "memory_watch.h"

#include <utility>

namespace parley::app {

MemoryWatch::MemoryWatch(MemoryBudget& budget, const Clock& clock, std::function<void()> on_change)
    : budget_(budget),
      clock_(clock),
      on_change_(std::move(on_change)),
      thread_("parley-memory", milliseconds{0}, [this] { return sample(); }) {}

milliseconds MemoryWatch::sample() {
    budget_.sample(clock_.steady());
    if (const Bytes share = budget_.share(1_MiB); share != told_) {
        told_ = share;
        on_change_();
    }
    return budget_.next_sample();
}

}  // namespace parley::app
