#include "rt/runtime.h"

#include <fmt/format.h>
#include <pthread.h>

#include <latch>

namespace parley::rt {

Runtime::Runtime(std::size_t threads, const Clock& clock, FlushKind flush) {
    for (std::size_t i = 0; i < threads; ++i) {
        auto choice = make_kernel(flush);
        loops_.push_back(std::make_unique<Loop>(i, clock, choice ? std::move(choice->kernel) : nullptr));
    }
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, i] { loops_[i]->run(); });
        pthread_setname_np(threads_.back().native_handle(), fmt::format("parley-loop{}", i).c_str());
    }
}

Runtime::~Runtime() { stop(); }

void Runtime::for_each(const std::function<void(Loop&)>& body) {
    std::latch done{static_cast<std::ptrdiff_t>(loops_.size())};
    for (auto& loop : loops_) {
        loop->post([&body, &done, &loop = *loop] {
            body(loop);
            done.count_down();
        });
    }
    done.wait();
}

void Runtime::stop() {
    if (threads_.empty()) return;
    for (auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace parley::rt
