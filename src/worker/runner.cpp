#include "worker/runner.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace parley::worker {
namespace {
constexpr std::size_t kMostWaiting = 4 << 20;
/// Messages come many times a second; to wake for each costs more than what is done with it.
constexpr milliseconds kGather{50};
}  // namespace

Runner::Runner(Reader::Parts parts, Reader::Options options, Role& role)
    : reader_(std::move(parts), std::move(options), role), thread_([this, name = role.name().substr(0, 15)] {
          ::pthread_setname_np(::pthread_self(), name.c_str());
          run();
      }) {}

Runner::~Runner() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Runner::hint(const bus::MessageBatch& messages) {
    std::size_t size = 0;
    for (const MessageRef& message : *messages) size += size_of(*message);
    {
        const std::lock_guard lock{mutex_};
        if (waiting_ + size > kMostWaiting) {
            hints_.clear();
            waiting_ = 0;
            missed_ = true;
        } else {
            waiting_ += size;
            hints_.push_back(messages);
        }
        if (!waits_for_hints_) return;
    }
    wake_.notify_one();
}

void Runner::missed() {
    {
        const std::lock_guard lock{mutex_};
        missed_ = true;
        if (!waits_for_hints_) return;
    }
    wake_.notify_one();
}

void Runner::run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        const auto hints = std::exchange(hints_, {});
        waiting_ = 0;
        const bool missed = std::exchange(missed_, false);
        lock.unlock();
        for (const auto& hint : hints) reader_.offer(*hint);
        if (missed) reader_.missed();
        const auto wait = reader_.step();
        lock.lock();
        if (wake_.wait_for(lock, std::min(wait, kGather), [this] { return stopping_; })) break;
        waits_for_hints_ = true;
        wake_.wait_for(lock, wait - std::min(wait, kGather),
                       [this] { return stopping_ || missed_ || !hints_.empty(); });
        waits_for_hints_ = false;
    }
    lock.unlock();
    reader_.close();
}

}  // namespace parley::worker
