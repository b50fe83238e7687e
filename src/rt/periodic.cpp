#include "rt/periodic.h"

#include <pthread.h>

#include <utility>

namespace parley::rt {

Periodic::Periodic(const std::string& name, milliseconds first, Work work)
    : work_(std::move(work)), thread_([this, first] { run(first); }) {
    ::pthread_setname_np(thread_.native_handle(), name.c_str());
}

Periodic::~Periodic() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Periodic::run(milliseconds wait) {
    std::unique_lock lock{mutex_};
    while (!wake_.wait_for(lock, wait, [this] { return stopping_; })) {
        lock.unlock();
        wait = work_();
        lock.lock();
    }
}

}  // namespace parley::rt
