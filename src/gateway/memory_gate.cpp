#include "gateway/memory_gate.h"

namespace parley::gateway {
namespace {
constexpr milliseconds kLookEvery{20};
/// Who waits has memory too, and gives it back when it is done: all waiting for each other end so.
constexpr seconds kStandstill{10};
constexpr std::size_t kPassWhileFull = 2;
}  // namespace

void MemoryGate::wait(UniqueFunction<void()> pass) {
    waiting_.push_back(std::move(pass));
    if (timer_.armed()) return;
    loop_.arm(timer_, kLookEvery);
    shut_since_ = loop_.now();
}

void MemoryGate::open() {
    // Who comes back in the meantime goes to the end and is not met again now.
    if (!is_shut()) shut_since_ = loop_.now();
    const bool stands_still = loop_.now() - shut_since_ >= kStandstill;
    const std::size_t least = !stands_still ? 0 : budget_.has_reserve() ? kPassWhileFull : 1;
    std::size_t passed = 0;
    for (std::size_t i = waiting_.size(); i > 0 && (passed < least || !is_shut()); --i, ++passed) {
        auto pass = std::move(waiting_.front());
        waiting_.pop_front();
        pass();
    }
    if (!waiting_.empty() && !timer_.armed()) loop_.arm(timer_, kLookEvery);
}

}  // namespace parley::gateway
