#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/crowd.h"
#include "bench/options.h"
#include "bench/pacer.h"
#include "bench/process_use.h"
#include "bench/storm.h"
#include "bench/tally.h"
#include "bench/target.h"

namespace parley::bench {

/// What the server's processes used; empty without --pid.
struct ServerUse {
    std::optional<ProcessUse> before;     ///< before the first connection
    std::optional<ProcessUse> connected;  ///< with all connections
    std::optional<ProcessUse> begun;      ///< the time that counts
    std::optional<ProcessUse> ended;
    std::uint64_t peak_resident_bytes = 0;
};

/// A run from the first connect to the last answer. Progress goes to stderr once a second.
/// Thread: the calling one; a storm has its own.
class Run {
public:
    using Dialects = std::vector<std::unique_ptr<Dialect>>;
    /// `dialects`: one for each target, of one kind; `storm_dialects`: as many more of it. All outlive the run.
    Run(const LoadOptions& options, const std::vector<Target>& targets, const Dialects& dialects,
        const Dialects& storm_dialects);

    /// Makes the connections. False: what is wrong is in the tally.
    bool set_up();
    void measure();
    /// Waits for what is on its way, and judges.
    void finish();
    [[nodiscard]] Tally& tally() noexcept { return tally_; }
    [[nodiscard]] const ServerUse& server() const noexcept { return server_; }

private:
    /// One turn of everything that happens by itself while there is load.
    void turn(std::int64_t wait_ns);
    void send_due();
    void churn();
    void feed_slow();
    void begin_storm();
    void sample(std::string_view phase);
    void begin_counting(std::int64_t now_ns);

    const LoadOptions& options_;
    PayloadSizes sizes_;
    Tally tally_;
    ServerUse server_;
    Senders senders_;
    Shared shared_;
    Crowd crowd_;
    std::optional<Storm> storm_;
    Pacer pacer_;
    std::int64_t load_ns_ = 0;  ///< when the load began
    std::int64_t fed_ns_ = 0;
    std::int64_t told_ns_ = 0;
    std::uint64_t told_acknowledged_ = 0;
    std::uint64_t told_delivered_ = 0;
};

/// Makes the dialect for a target; all of a run are of one kind.
using MakeDialect = std::function<std::unique_ptr<Dialect>(const Target&)>;
/// Resolves, runs, prints the table and writes the JSON. The exit status: 0; 1 where the check failed; 2 for what could
/// not be begun.
[[nodiscard]] int run_load(LoadOptions options, const MakeDialect& make);

}  // namespace parley::bench
