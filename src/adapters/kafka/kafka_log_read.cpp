// KafkaLog's questions: what was read lately is here, what is older in the table.
#include <fmt/format.h>

#include "adapters/kafka/client.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/kafka/murmur2.h"
#include "adapters/kafka/topic_reader.h"

namespace parley::kafka {
namespace {

constexpr seconds kReadOn{2};
/// They hold threads that everybody's questions need.
constexpr int kMostReadingOn = 2;

/// Counts itself as long as it lives.
class Counted {
public:
    explicit Counted(std::atomic<int>& count) : count_(count), number_(++count) {}
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    std::atomic<int>& count_;
    const int number_;
};

Error not_yet(const RoomId& room, RoomSeq seq) {
    return unavailable(fmt::format("room {}: message {} is not in the store yet", room.str(), seq.value));
}

std::size_t size_of_all(const std::vector<MessageRef>& messages) {
    std::size_t out = 0;
    for (const auto& message : messages) out += size_of(*message);
    return out;
}

Bytes rest(Bytes max, std::size_t used) { return {max.count > used ? max.count - used : 0}; }

}  // namespace

std::uint32_t KafkaLog::number_of(const RoomId& room) const {
    return partition_of(room.str(), static_cast<std::uint32_t>(partitions_.size()));
}

/// Under the lock.
log::RoomHead KafkaLog::head_now(const RoomId& room) {
    return {epoch_, {1}, partitions_[number_of(room)].counter.head(room.str()).head};
}

Result<log::RoomHead> KafkaLog::head(const RoomId& room) {
    const std::lock_guard lock{state_mutex_};
    return head_now(room);
}

Result<> KafkaLog::read_up_to_now(const RoomId& room) {
    const std::uint32_t number = number_of(room);
    // Nobody waits where it is known to be in vain.
    if (broken_ || in_doubt_ || faults_->is_faulty(number))
        return fail(unavailable("the topic cannot be read to its end now"));
    const Counted me{reading_on_};
    if (me.number() > kMostReadingOn) return fail(unavailable("others wait for the topic's end already"));
    const auto end = ends_[number]->answer();
    if (!end) return fail(end.error());
    std::unique_lock lock{state_mutex_};
    if (passed_.wait_for(lock, kReadOn, [&] { return partitions_[number].next >= *end; })) return {};
    return fail(unavailable(fmt::format("partition {} is not read to offset {} yet", number, *end)));
}

Result<log::Page> KafkaLog::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
    if (after > head(room)->head) {
        if (auto read = read_up_to_now(room); !read) return fail(read.error());
    }
    log::Page page;
    RoomSeq last = after;
    for (;;) {
        const std::size_t used = size_of_all(page.messages);
        const bool full = page.messages.size() >= limit || (!page.messages.empty() && used >= max.count);
        {
            const std::lock_guard lock{state_mutex_};
            page.at = head_now(room);
            // The table may be ahead of this server's reader.
            if (!page.messages.empty()) page.at.head = std::max(page.at.head, page.messages.back()->seq);
            if (full || last >= page.at.head) return page;
            const RoomSeq first = recent_->first(room);
            if (first.value != 0 && first <= last.next()) {
                recent_->append_after(room, last, limit, rest(max, used), page.messages);
                return page;
            }
        }
        auto stored = table_.read(room, last, limit - page.messages.size(), rest(max, used));
        if (!stored) return fail(stored.error());
        // What was dropped here above the limit.
        if (stored->messages.empty()) return fail(not_yet(room, last.next()));
        page.messages.insert(page.messages.end(), stored->messages.begin(), stored->messages.end());
        last = page.messages.back()->seq;
    }
}

Result<log::Page> KafkaLog::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) {
    log::Page page;
    RoomSeq end = before;
    {
        const std::lock_guard lock{state_mutex_};
        page.at = head_now(room);
        page.messages = recent_->before(room, before, limit, max);
        end = page.messages.empty() ? std::min(before, page.at.head.next()) : page.messages.front()->seq;
    }
    const std::size_t used = size_of_all(page.messages);
    if (end.value <= 1 || page.messages.size() >= limit || (!page.messages.empty() && used >= max.count)) return page;
    auto older = table_.read_before(room, end, limit - page.messages.size(), rest(max, used));
    if (!older) return fail(older.error());
    if (older->messages.empty() || older->messages.back()->seq.next() != end) return fail(not_yet(room, end.prev()));
    page.messages.insert(page.messages.begin(), older->messages.begin(), older->messages.end());
    return page;
}

Result<RoomSeq> KafkaLog::seek(const RoomId& room, WallTime time) {
    RoomSeq recent;
    {
        const std::lock_guard lock{state_mutex_};
        recent = recent_->last_before(room, time);
    }
    const auto stored = table_.seek(room, time);
    return stored ? std::max(*stored, recent) : stored;
}

}  // namespace parley::kafka
