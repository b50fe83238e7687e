#include "log/commit_queue.h"

namespace parley::log {

std::size_t CommitQueue::push(std::span<Pending> pendings) {
    std::size_t taken = 0;
    bool wake = false;
    {
        const std::lock_guard lock{mutex_};
        for (; !closed_ && taken < pendings.size() && bytes_ + pendings[taken].bytes <= limit_; ++taken) {
            bytes_ += pendings[taken].bytes;
            appends_.push_back(std::move(pendings[taken]));
        }
        wake = waiting_ && taken > 0;
    }
    if (wake) ready_.notify_one();
    return taken;
}

bool CommitQueue::push(Trim& trim) {
    {
        const std::lock_guard lock{mutex_};
        if (closed_) return false;
        trims_.push_back(std::move(trim));
    }
    ready_.notify_one();
    return true;
}

bool CommitQueue::take(Work& work, std::size_t messages, std::size_t bytes) {
    std::unique_lock lock{mutex_};
    waiting_ = true;
    ready_.wait(lock, [this] { return closed_ || !appends_.empty() || !trims_.empty(); });
    waiting_ = false;
    work.trims.swap(trims_);
    std::size_t taken_messages = 0;
    std::size_t taken_bytes = 0;
    while (!appends_.empty()) {
        Pending& front = appends_.front();
        taken_messages += front.request.drafts.size();
        taken_bytes += front.bytes;
        if (!work.appends.empty() && (taken_messages > messages || taken_bytes > bytes)) break;
        bytes_ -= front.bytes;
        work.appends.push_back(std::move(front));
        appends_.pop_front();
    }
    return !work.appends.empty() || !work.trims.empty() || !closed_;
}

void CommitQueue::take_all(Work& work) {
    const std::lock_guard lock{mutex_};
    for (auto& pending : appends_) work.appends.push_back(std::move(pending));
    for (auto& trim : trims_) work.trims.push_back(std::move(trim));
    appends_.clear();
    trims_.clear();
    bytes_ = 0;
}

void CommitQueue::close() {
    {
        const std::lock_guard lock{mutex_};
        closed_ = true;
    }
    ready_.notify_one();
}

std::size_t CommitQueue::bytes() const {
    const std::lock_guard lock{mutex_};
    return bytes_;
}

}  // namespace parley::log
