#pragma once
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "bench/crowd.h"
#include "bench/options.h"
#include "bench/tally.h"
#include "bench/target.h"

namespace parley::bench {

/// Connections that all come at once beside a run's: what they do to the others is what is asked, so none of them may
/// stand in the way of the thread that reads and times the others.
///
/// Thread: one of its own, of the class that runs only where the others of its core have nothing to do; whoever owns
///         it begins and ends it. Its tally is nobody else's until then.
/// Fails:  in its tally: what is neither served nor refused with 503 and Retry-After.
class Storm {
public:
    /// `dialects`: its own, one for each target. Everything outlives it.
    Storm(const LoadOptions& options, const std::vector<Target>& targets,
          const std::vector<std::unique_ptr<Dialect>>& dialects);
    ~Storm();
    Storm(const Storm&) = delete;
    Storm& operator=(const Storm&) = delete;

    /// Once.
    void begin();
    /// Every one of its connections is served, refused or failed, or it never began.
    [[nodiscard]] bool is_over() const noexcept { return !begun() || over_.load(std::memory_order_acquire); }
    /// Closes its connections, and adds what they were to `tally`.
    void end(Tally& tally);
    [[nodiscard]] bool begun() const noexcept { return thread_.joinable(); }

private:
    void run();

    const LoadOptions options_;
    PayloadSizes sizes_;
    Tally tally_;
    Senders senders_;
    Shared shared_;
    Crowd crowd_;
    std::atomic<bool> over_{false};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

}  // namespace parley::bench
