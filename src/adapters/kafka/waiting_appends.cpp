#include "adapters/kafka/waiting_appends.h"

namespace parley::kafka {
namespace {
/// A record is here, in librdkafka's queue, and compressed.
constexpr std::size_t kCopies = 3;
}  // namespace

std::optional<std::uint64_t> WaitingAppends::add(log::AppendDone& done, std::uint32_t partition, std::size_t bytes,
                                                 SteadyTime now) {
    const std::lock_guard lock{mutex_};
    if (bytes_ + bytes > limit_) return std::nullopt;
    bytes_ += bytes;
    Append& append = appends_[++last_];
    append.done = std::move(done);
    append.partition = partition;
    append.bytes = bytes;
    append.held = {memory::Use::kMessages, kCopies * bytes};
    ends_.emplace_back(now + patience_, last_);
    return last_;
}

/// Under the lock. The append that is to be told.
std::optional<WaitingAppends::Append> WaitingAppends::take(std::uint64_t number) {
    auto node = appends_.extract(number);
    if (node.empty()) return std::nullopt;
    bytes_ -= node.mapped().bytes;
    while (!ends_.empty() && !appends_.contains(ends_.front().second)) ends_.pop_front();
    if (appends_.empty()) emptied_.notify_all();
    return std::move(node.mapped());
}

void WaitingAppends::stored(std::uint64_t number) {
    std::optional<Append> ready;
    {
        const std::lock_guard lock{mutex_};
        const auto found = appends_.find(number);
        if (found == appends_.end()) return;
        found->second.stored = true;
        if (!found->second.answer) return;
        ready = take(number);
    }
    ready->done(std::move(*ready->answer));
}

void WaitingAppends::read_back(std::uint64_t number, std::vector<log::Appended> answer) {
    std::optional<Append> ready;
    {
        const std::lock_guard lock{mutex_};
        const auto found = appends_.find(number);
        if (found == appends_.end() || found->second.answer) return;
        found->second.answer = std::move(answer);
        if (!found->second.stored) return;
        ready = take(number);
    }
    ready->done(std::move(*ready->answer));
}

bool WaitingAppends::refuse(std::uint64_t number, const Error& why) {
    std::optional<Append> refused;
    {
        const std::lock_guard lock{mutex_};
        refused = take(number);
    }
    if (refused) refused->done(fail(why));
    return refused.has_value();
}

std::vector<std::uint32_t> WaitingAppends::expire(SteadyTime now, const Error& why) {
    std::vector<Append> expired;
    {
        const std::lock_guard lock{mutex_};
        while (!ends_.empty() && ends_.front().first <= now) {
            const auto number = ends_.front().second;
            ends_.pop_front();
            if (auto append = take(number)) expired.push_back(std::move(*append));
        }
    }
    std::vector<std::uint32_t> partitions;
    for (Append& append : expired) {
        partitions.push_back(append.partition);
        append.done(fail(why));
    }
    return partitions;
}

void WaitingAppends::refuse_all(const Error& why) { expire(SteadyTime::max(), why); }

std::size_t WaitingAppends::bytes() const {
    const std::lock_guard lock{mutex_};
    return bytes_;
}

bool WaitingAppends::empty() const {
    const std::lock_guard lock{mutex_};
    return appends_.empty();
}

void WaitingAppends::wait_until_empty() {
    std::unique_lock lock{mutex_};
    emptied_.wait(lock, [this] { return appends_.empty(); });
}

}  // namespace parley::kafka
