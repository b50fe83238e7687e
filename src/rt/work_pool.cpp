#include "rt/work_pool.h"

#include <pthread.h>

namespace parley::rt {

WorkPool::WorkPool(std::string name, std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
        pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
    }
}

WorkPool::~WorkPool() {
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
    }
    ready_.notify_all();
    for (auto& thread : threads_) thread.join();
}

bool WorkPool::try_submit(Task task) {
    {
        const std::lock_guard lock{mutex_};
        if (ending_ || queue_.size() >= queue_limit_) return false;
        queue_.push_back(std::move(task));
    }
    ready_.notify_one();
    return true;
}

bool WorkPool::run_one() {
    Task task;
    {
        const std::lock_guard lock{mutex_};
        if (queue_.empty()) return false;
        task = std::move(queue_.front());
        queue_.pop_front();
    }
    task();
    return true;
}

std::size_t WorkPool::waiting() const {
    const std::lock_guard lock{mutex_};
    return queue_.size();
}

void WorkPool::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        ready_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Task task = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
    }
}

}  // namespace parley::rt
