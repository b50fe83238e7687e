#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "adapters/mongo/heads.h"
#include "adapters/mongo/pool.h"
#include "base/clock.h"
#include "rt/periodic.h"

namespace parley::mongo {

/// Keeps every room within the retention limits, by whole blocks. Every server does it; they do not disturb each other.
///
/// Thread: one of its own; sweep() may also be called from any other.
/// Order:  prefixes only, oldest first. `first` of a room's head is raised, durably, before its blocks are deleted, and
///         `swept` after: a server that stops in between leaves blocks that nobody reads, and `swept` below `first`
///         says to the next sweep, of any server, that they are to be deleted.
/// Fails:  what cannot be removed now is tried again in the next sweep.
class LogTrimmer {
public:
    struct Limits {
        milliseconds max_age{0};  ///< 0: for ever
        Bytes max_room_bytes{0};  ///< 0: any
        milliseconds interval{30'000};
        /// Younger blocks stay, whatever the size: who stored one has not looked yet whether it lies before `first`.
        milliseconds min_age{10'000};
    };
    LogTrimmer(Limits limits, const Clock& clock, Pool& pool);
    ~LogTrimmer();
    LogTrimmer(const LogTrimmer&) = delete;
    LogTrimmer& operator=(const LogTrimmer&) = delete;

    /// Goes over all rooms once. Returns how many messages it removed.
    Result<std::size_t> sweep();

private:
    [[nodiscard]] bool is_over(const Document& head) const;
    [[nodiscard]] bool may_go(const Block& block, std::uint64_t gone, std::uint64_t total) const;
    /// Some of the room's oldest blocks. Returns how many messages; 0: there is nothing to remove, or another does it.
    Result<std::size_t> trim_slice(const std::string& room);
    Result<> delete_before(const std::string& room, RoomSeq first);

    const Limits limits_;
    const Clock& clock_;
    Pool& pool_;
    std::atomic<bool> ending_{false};
    std::unique_ptr<rt::Periodic> thread_;
};

}  // namespace parley::mongo
