#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "log/commit_queue.h"
#include "log/store.h"
#include "rt/periodic.h"

namespace parley::log {

/// Keeps every room within the retention limits: finds what is too old or too much and hands it, slice
/// by slice, to the writer, which removes it with its next commit. So senders wait for no trimming.
///
/// Thread: one of its own; sweep() may also be called from any other but the writer's.
/// Order:  prefixes only, oldest first; heads, epochs and name cards stay.
/// Fails:  what cannot be read or removed now is tried again in the next sweep.
class Trimmer {
public:
    struct Limits {
        milliseconds max_age{0};
        Bytes max_room_bytes{0};
        milliseconds interval{30'000};
    };
    /// Calls its argument with the store, which stays open until it returns; not at all while there is none.
    using WithStore = std::function<void(const std::function<void(const Store&)>&)>;

    Trimmer(Limits limits, const Clock& clock, WithStore with_store, CommitQueue& queue);
    ~Trimmer();
    Trimmer(const Trimmer&) = delete;
    Trimmer& operator=(const Trimmer&) = delete;

    /// Goes over all rooms once.
    void sweep();

private:
    struct Room {
        RoomId id;
        records::Head head;
    };
    std::vector<Room> next_rooms(const std::string& after);
    void trim(Room room);
    bool cut(const Store& store, const Room& room, Trim& slice) const;

    const Limits limits_;
    const Clock& clock_;
    const WithStore with_store_;
    CommitQueue& queue_;
    std::mutex sweep_mutex_;  ///< one sweep at a time
    std::atomic<bool> ending_{false};
    std::unique_ptr<rt::Periodic> thread_;
};

}  // namespace parley::log
