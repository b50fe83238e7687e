#include "bench/storm.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace parley::bench {
namespace {

constexpr int kRooms = 100;
/// Between two looks at those that wait for an answer.
constexpr int kAtOnce = 64;
constexpr std::int64_t kWait = 20'000'000;

/// Rooms where nobody talks.
LoadOptions options_of(const LoadOptions& run) {
    LoadOptions out = run;
    out.connections = run.storm;
    out.rooms = std::min(kRooms, run.storm);
    out.subscribers = out.per_room();
    out.senders = out.slow = out.stalled = out.storm = 0;
    return out;
}

}  // namespace

Storm::Storm(const LoadOptions& options, const std::vector<Target>& targets,
             const std::vector<std::unique_ptr<Dialect>>& dialects)
    : options_(options_of(options)),
      sizes_(*PayloadSizes::parse(options.payload)),
      shared_{
          .tally = tally_, .sizes = sizes_, .senders = senders_, .traits = dialects.front()->traits(), .scratch = {}},
      crowd_(Crowd::Kind::kStorm, options_, targets, dialects, shared_) {}

Storm::~Storm() {
    ending_.store(true, std::memory_order_relaxed);
    if (begun()) thread_.join();
}

void Storm::begin() {
    thread_ = std::thread{[this] { run(); }};
    ::pthread_setname_np(thread_.native_handle(), "storm");
}

void Storm::run() {
    const sched_param none{};
    (void)::sched_setscheduler(0, SCHED_IDLE, &none);  // any thread may; without it the others' figures are worse
    while (!ending_.load(std::memory_order_relaxed)) {
        for (int i = 0; i < kAtOnce && crowd_.opened() < options_.connections; ++i) {
            if (!crowd_.open_next()) break;
        }
        const bool opening = crowd_.opened() < options_.connections;
        crowd_.turn(opening ? 0 : kWait);
        const StormTally& so_far = tally_.storm;
        const auto answered = static_cast<int>(so_far.served + so_far.refused + so_far.failed);
        if (answered >= options_.connections) over_.store(true, std::memory_order_release);
    }
}

void Storm::end(Tally& tally) {
    if (!begun()) return;
    ending_.store(true, std::memory_order_relaxed);
    thread_.join();
    tally.storm = tally_.storm;
    StormTally& storm = tally.storm;
    storm.asked = static_cast<std::uint64_t>(options_.connections);
    if (const std::uint64_t answered = storm.served + storm.refused + storm.failed; answered < storm.asked) {
        storm.failed += storm.asked - answered;
        tally.problem(fmt::format("{} connections of the storm were never answered", storm.asked - answered));
    }
    tally.connects.count += tally_.connects.count;
    tally.connects.round_trips += tally_.connects.round_trips;
    tally.connects.sent_bytes += tally_.connects.sent_bytes;
    tally.connects.received_bytes += tally_.connects.received_bytes;
    for (std::string& line : tally_.problems) tally.problem(std::move(line));
}

}  // namespace parley::bench
