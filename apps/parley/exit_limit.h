#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/units.h"

namespace parley::app {

/// Ends the process when its end takes too long: what a silent broker or database holds up would be waited for. What
/// was acknowledged is durable by then, and what was not is nobody's.
///
/// Thread: its own from begin() on; waits_for() any. Made before all that may be waited for, and gone after it.
class ExitLimit {
public:
    ExitLimit() = default;
    ~ExitLimit();
    ExitLimit(const ExitLimit&) = delete;
    ExitLimit& operator=(const ExitLimit&) = delete;

    /// Once. A second after `limit`, which `drain.limit` says, the log says what was waited for, and the process ends
    /// with status 0.
    void begin(milliseconds limit);
    /// What the end has come to.
    void waits_for(std::string what);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string what_;
    bool done_ = false;
    std::thread thread_;
};

}  // namespace parley::app
