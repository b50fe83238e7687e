#pragma once
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "log/room_log.h"

namespace parley::kafka {

/// The messages that this server has read from the topic and the table may not have yet.
///
/// Thread: one at a time. Order: each room's lie by seq, without a hole.
/// Limit: `limit` bytes; beyond it the oldest of the partition that grows go, and are to be had from the table alone.
class Recent {
public:
    Recent(std::uint32_t partitions, Bytes limit) : partitions_(partitions), limit_(limit.count) {}

    void add(std::uint32_t partition, std::uint64_t offset, MessageRef message);
    /// The table has everything of the partition below `next`.
    void stored(std::uint32_t partition, std::uint64_t next);

    [[nodiscard]] bool has_any(std::uint32_t partition) const { return !partitions_[partition].empty(); }
    /// The lowest seq that is here; 0: none.
    [[nodiscard]] RoomSeq first(const RoomId& room) const;
    /// Those with seq > `after`, ascending; `after` is not below first() - 1.
    void append_after(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max,
                      std::vector<MessageRef>& to) const;
    /// The last `limit` with seq < `before`, ascending.
    [[nodiscard]] std::vector<MessageRef> before(const RoomId& room, RoomSeq before, std::size_t limit,
                                                 Bytes max) const;
    /// The last one's seq that was made before `time`; 0: none that is here.
    [[nodiscard]] RoomSeq last_before(const RoomId& room, WallTime time) const;
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    struct Entry {
        std::uint64_t offset = 0;
        MessageRef message;
    };
    void drop_front(std::deque<Entry>& partition);

    std::vector<std::deque<Entry>> partitions_;
    std::unordered_map<RoomId, std::deque<MessageRef>> rooms_;
    const std::size_t limit_;
    std::size_t bytes_ = 0;
};

/// What a message counts in a page and in memory, about.
[[nodiscard]] std::size_t size_of(const Message& message) noexcept;

}  // namespace parley::kafka
