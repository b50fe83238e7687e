#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/memory_account.h"
#include "log/room_log.h"

namespace parley::log {

/// One append() on its way, its records already encoded by the caller's thread.
struct Pending {
    AppendRequest request;
    std::vector<std::string> records;
    std::size_t bytes = 0;
    memory::Charge held;
    AppendDone done;
};

/// A slice of a room's oldest messages to be removed with the next commit.
struct Trim {
    RoomId room;
    RoomSeq from;  ///< the room's `first` when the slice was cut
    RoomSeq to;
    std::uint64_t bytes = 0;
    std::vector<std::string> dedup_keys;
    UniqueFunction<void(bool done)> then;
};

struct Work {
    std::vector<Pending> appends;
    std::vector<Trim> trims;
};

/// What waits for the writer thread. Thread: any pushes, one takes.
/// Order:  first in, first out. Limit: `limit` bytes of appends; push() refuses beyond it.
class CommitQueue {
public:
    explicit CommitQueue(Bytes limit) : limit_(limit.count) {}

    /// How many were taken, from the front; the others, untouched, found it full or closed.
    [[nodiscard]] std::size_t push(std::span<Pending> pendings);
    [[nodiscard]] bool push(Trim& trim);
    /// Waits for work, then moves up to `messages` drafts and about `bytes` of it into `work`. False: closed and empty.
    [[nodiscard]] bool take(Work& work, std::size_t messages, std::size_t bytes);
    /// Everything, without waiting.
    void take_all(Work& work);
    void close();
    [[nodiscard]] std::size_t bytes() const;

private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    bool waiting_ = false;
    bool closed_ = false;
    std::size_t bytes_ = 0;
    std::deque<Pending> appends_;
    std::vector<Trim> trims_;
};

}  // namespace parley::log
