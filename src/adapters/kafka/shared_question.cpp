#include "adapters/kafka/shared_question.h"

namespace parley::kafka {

Result<std::uint64_t> SharedQuestion::answer() {
    std::unique_lock lock{mutex_};
    const std::uint64_t mine = begun_ + 1;
    while (answered_ < mine) {
        if (answered_ < begun_) {
            answered_one_.wait(lock);
            continue;
        }
        ++begun_;
        lock.unlock();
        auto answer = ask_();
        lock.lock();
        last_ = std::move(answer);
        answered_ = begun_;
        answered_one_.notify_all();
    }
    return last_;
}

}  // namespace parley::kafka
