#pragma once
#include <atomic>
#include <memory>

#include "adapters/postgres/pool.h"
#include "base/clock.h"
#include "rt/periodic.h"

namespace parley::postgres {

/// Keeps every room within the retention limits. One server at a time goes over the rooms.
///
/// Thread: one of its own; sweep() may also be called from any other.
/// Order:  prefixes only, oldest first, some hundred messages a statement; heads and epoch stay.
/// Fails:  what cannot be removed now is tried again in the next sweep.
class LogTrimmer {
public:
    struct Limits {
        milliseconds max_age{0};  ///< 0: for ever
        Bytes max_room_bytes{0};  ///< 0: any
        milliseconds interval{30'000};
    };
    LogTrimmer(Limits limits, const Clock& clock, Pool& pool);
    ~LogTrimmer();
    LogTrimmer(const LogTrimmer&) = delete;
    LogTrimmer& operator=(const LogTrimmer&) = delete;

    /// Goes over all rooms once. Returns how many messages it removed.
    Result<std::size_t> sweep();

private:
    [[nodiscard]] Params limits_now() const;

    const Limits limits_;
    const Clock& clock_;
    Pool& pool_;
    std::atomic<bool> ending_{false};
    std::unique_ptr<rt::Periodic> thread_;
};

}  // namespace parley::postgres
