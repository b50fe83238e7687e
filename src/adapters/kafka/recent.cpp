#include "adapters/kafka/recent.h"

#include <algorithm>

namespace parley::kafka {
namespace {
constexpr std::size_t kOverhead = 250;  // ids, references, bookkeeping
}

std::size_t size_of(const Message& message) noexcept {
    return kOverhead + message.content.size() + message.nickname.size() + message.extra.size();
}

void Recent::add(std::uint32_t partition, std::uint64_t offset, MessageRef message) {
    auto& entries = partitions_[partition];
    bytes_ += size_of(*message);
    rooms_[message->room].push_back(message);
    entries.push_back({offset, std::move(message)});
    while (bytes_ > limit_ && entries.size() > 1) drop_front(entries);
}

void Recent::stored(std::uint32_t partition, std::uint64_t next) {
    auto& entries = partitions_[partition];
    while (!entries.empty() && entries.front().offset < next) drop_front(entries);
}

void Recent::drop_front(std::deque<Entry>& partition) {
    const Message& message = *partition.front().message;
    bytes_ -= size_of(message);
    // A room has one partition: its oldest is the partition's.
    const auto room = rooms_.find(message.room);
    room->second.pop_front();
    if (room->second.empty()) rooms_.erase(room);
    partition.pop_front();
}

RoomSeq Recent::first(const RoomId& room) const {
    const auto found = rooms_.find(room);
    return found == rooms_.end() ? RoomSeq{} : found->second.front()->seq;
}

void Recent::append_after(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max,
                          std::vector<MessageRef>& to) const {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return;
    const auto& messages = found->second;
    const std::uint64_t first = messages.front()->seq.value;
    std::size_t bytes = 0;
    for (std::size_t i = after.value < first ? 0 : after.value + 1 - first; i < messages.size(); ++i) {
        if (to.size() >= limit || (!to.empty() && bytes >= max.count)) return;
        bytes += size_of(*messages[i]);
        to.push_back(messages[i]);
    }
}

std::vector<MessageRef> Recent::before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const {
    std::vector<MessageRef> out;
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return out;
    const auto& messages = found->second;
    const std::uint64_t first = messages.front()->seq.value;
    std::size_t bytes = 0;
    const std::uint64_t end = before.value < first ? 0 : std::min<std::uint64_t>(before.value - first, messages.size());
    for (std::size_t i = end; i > 0; --i) {
        if (out.size() >= limit || (!out.empty() && bytes >= max.count)) break;
        bytes += size_of(*messages[i - 1]);
        out.push_back(messages[i - 1]);
    }
    std::reverse(out.begin(), out.end());
    return out;
}

RoomSeq Recent::last_before(const RoomId& room, WallTime time) const {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return {};
    const auto end =
        std::ranges::partition_point(found->second, [time](const auto& one) { return one->created_at < time; });
    return end == found->second.begin() ? RoomSeq{} : (*std::prev(end))->seq;
}

}  // namespace parley::kafka
