#include "gateway/memory_gate.h"

namespace parley::gateway {
namespace {
constexpr milliseconds kLookEvery{20};
}

void MemoryGate::wait(UniqueFunction<void()> pass) {
    waiting_.push_back(std::move(pass));
    if (!timer_.armed()) loop_.arm(timer_, kLookEvery);
}

void MemoryGate::open() {
    // Who comes back in the meantime goes to the end and is not met again now.
    for (std::size_t i = waiting_.size(); i > 0 && !is_shut(); --i) {
        auto pass = std::move(waiting_.front());
        waiting_.pop_front();
        pass();
    }
    if (!waiting_.empty() && !timer_.armed()) loop_.arm(timer_, kLookEvery);
}

}  // namespace parley::gateway
