#include "bench/run.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "bench/report.h"

namespace parley::bench {
namespace {

constexpr int kConnectingAtOnce = 256;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSetUpLimit = 30 * kSecond;  ///< without a single connection more
constexpr std::int64_t kEndLimit = 30 * kSecond;    ///< for receipts and deliveries still on their way
constexpr std::int64_t kSettle = 2 * kSecond;       ///< until an idle server has freed what connecting took
constexpr std::int64_t kWait = 20'000'000;
constexpr std::int64_t kFeedEvery = 50'000'000;
constexpr std::int64_t kLate = 1'000'000;

}  // namespace

Run::Run(const LoadOptions& options, const std::vector<Target>& targets, const Dialects& dialects,
         const Dialects& storm_dialects)
    : options_(options),
      sizes_(*PayloadSizes::parse(options.payload)),
      shared_{.tally = tally_,
              .sizes = sizes_,
              .senders = senders_,
              .traits = dialects.front()->traits(),
              .messages = options.messages,
              .closed_loop = options.rate <= 0,
              .scratch = {}},
      crowd_(Crowd::Kind::kLoad, options, targets, dialects, shared_),
      pacer_(options.rate, static_cast<std::uint32_t>(options.senders)),
      told_ns_(Shared::steady_ns()) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    if (options.storm > 0) storm_.emplace(options, targets, storm_dialects);
}

bool Run::set_up() {
    server_.before = process_use(options_.pids);
    const std::int64_t started = Shared::steady_ns();
    std::int64_t moved = started;
    int live = 0;
    while (live < options_.connections) {
        const std::int64_t now = Shared::steady_ns();
        int may = std::min(options_.connections, live + kConnectingAtOnce);
        if (options_.ramp > 0) {
            may = std::min<int>(may, static_cast<int>((now - started) * options_.ramp / kSecond) + 1);
        }
        while (crowd_.opened() < may) {
            if (!crowd_.open_next()) return false;
        }
        crowd_.turn(kWait);
        if (tally_.faults.broken != 0) return false;
        if (crowd_.live() != live) moved = now;
        live = crowd_.live();
        if (now - moved > kSetUpLimit) {
            tally_.problem(fmt::format("only {} of {} connections were made; none in the last {} s", live,
                                       options_.connections, kSetUpLimit / kSecond));
            return false;
        }
        sample("connecting");
    }
    if (options_.idle) {
        const std::int64_t until = Shared::steady_ns() + kSettle;
        while (Shared::steady_ns() < until) crowd_.turn(kWait);
    }
    server_.connected = process_use(options_.pids);
    return true;
}

void Run::begin_counting(std::int64_t now_ns) {
    server_.begun = process_use(options_.pids);
    tally_.begun_ns = now_ns;
    tally_.measured_sent = tally_.sent;
    tally_.measured_acknowledged = tally_.acknowledged;
    tally_.measured_delivered = tally_.delivered;
    tally_.measured_bytes = tally_.delivered_bytes;
    tally_.measured_sent_bytes = tally_.sent_bytes;
    tally_.measured_own_seconds = own_cpu_seconds();
}

void Run::measure() {
    load_ns_ = fed_ns_ = Shared::steady_ns();
    const std::int64_t warm_up = options_.messages != 0 ? 0 : options_.warm_up * kSecond;
    if (warm_up == 0) begin_counting(load_ns_);
    pacer_.start(load_ns_);
    shared_.loaded = shared_.sending = true;
    for (int i = 0; i < options_.senders && shared_.closed_loop; ++i) {
        Client& client = crowd_.at(static_cast<std::uint32_t>(i));
        client.refill();
        client.flush();
    }
    crowd_.set_dawdling(true);
    for (;;) {
        const std::int64_t now = Shared::steady_ns();
        const bool counting = tally_.begun_ns <= now;
        if (!counting && now >= load_ns_ + warm_up) begin_counting(now);
        const bool enough = options_.messages != 0 ? tally_.acknowledged + tally_.faults.refused >= options_.messages
                                                   : counting && now >= tally_.begun_ns + options_.seconds * kSecond;
        if (enough || crowd_.all_failed()) break;
        turn(kWait);
        sample(counting ? "measuring" : "warming up");
    }
    server_.ended = process_use(options_.pids);
    tally_.ended_ns = Shared::steady_ns();
    tally_.measured_sent = tally_.sent - tally_.measured_sent;
    tally_.measured_acknowledged = tally_.acknowledged - tally_.measured_acknowledged;
    tally_.measured_delivered = tally_.delivered - tally_.measured_delivered;
    tally_.measured_bytes = tally_.delivered_bytes - tally_.measured_bytes;
    tally_.measured_sent_bytes = tally_.sent_bytes - tally_.measured_sent_bytes;
    tally_.measured_own_seconds = own_cpu_seconds() - tally_.measured_own_seconds;
    tally_.seconds = static_cast<double>(tally_.ended_ns - tally_.begun_ns) / kSecond;
    shared_.sending = false;
}

void Run::finish() {
    crowd_.set_dawdling(false);
    const std::int64_t limit = Shared::steady_ns() + kEndLimit;
    while (Shared::steady_ns() < limit && !(crowd_.settled() && (!storm_ || storm_->is_over()))) {
        crowd_.turn(kWait);
        sample("waiting for the last");
    }
    crowd_.count_missing(tally_);
    if (storm_) storm_->end(tally_);
}

void Run::turn(std::int64_t wait_ns) {
    if (pacer_.is_open()) {
        wait_ns = std::clamp<std::int64_t>(pacer_.due_ns() - Shared::steady_ns(), 0, wait_ns);
    }
    crowd_.turn(wait_ns);
    send_due();
    feed_slow();
    churn();
    begin_storm();
}

void Run::send_due() {
    std::int64_t now = Shared::steady_ns();
    while (pacer_.is_due(now)) {
        const std::int64_t due = pacer_.due_ns();
        Client& client = crowd_.at(pacer_.take());
        if (client.over()) continue;
        if (now - due > kLate) ++tally_.late_sends;
        client.send_one(due);
        client.flush();
        now = Shared::steady_ns();
    }
}

void Run::feed_slow() {
    const std::int64_t now = Shared::steady_ns();
    if (options_.slow == 0 || now - fed_ns_ < kFeedEvery) return;
    const std::int64_t share = (now - fed_ns_) * options_.slow_bytes / kSecond;
    fed_ns_ = now;
    crowd_.feed_slow(static_cast<std::size_t>(std::max<std::int64_t>(share, 1)));
}

void Run::churn() {
    if (options_.churn == 0) return;
    const auto due = static_cast<std::uint64_t>((Shared::steady_ns() - load_ns_) / 1000 * options_.churn / 1'000'000);
    while (tally_.churned < due && crowd_.exchange_one(options_.churn_resume)) {
    }
}

void Run::begin_storm() {
    if (!storm_ || storm_->begun()) return;
    const std::int64_t now = Shared::steady_ns();
    if (now >= tally_.begun_ns && now - tally_.begun_ns >= options_.seconds * kSecond / 3) storm_->begin();
}

void Run::sample(std::string_view phase) {
    const std::int64_t now = Shared::steady_ns();
    if (now - told_ns_ < kSecond) return;
    const double passed = static_cast<double>(now - told_ns_) / kSecond;
    told_ns_ = now;
    Sample sample;
    sample.at = load_ns_ == 0 ? 0 : static_cast<double>(now - load_ns_) / kSecond - options_.warm_up;
    sample.acknowledged = tally_.acknowledged - std::exchange(told_acknowledged_, tally_.acknowledged);
    sample.delivered = tally_.delivered - std::exchange(told_delivered_, tally_.delivered);
    sample.delivery_p50 = tally_.delivery_of_second.percentile(0.5);
    sample.delivery_p99 = tally_.delivery_of_second.percentile(0.99);
    sample.delivery_p999 = tally_.delivery_of_second.percentile(0.999);
    sample.resident_bytes = resident_bytes(options_.pids);
    server_.peak_resident_bytes = std::max(server_.peak_resident_bytes, sample.resident_bytes);
    tally_.delivery_of_second.clear();
    if (load_ns_ != 0) tally_.samples.push_back(sample);
    fmt::print(stderr, "{}: {} connections, {:.0f} sends/s acknowledged, {:.0f} deliveries/s, p50 {:.2f} p99 {:.2f} ms",
               phase, crowd_.live(), static_cast<double>(sample.acknowledged) / passed,
               static_cast<double>(sample.delivered) / passed, sample.delivery_p50, sample.delivery_p99);
    if (sample.resident_bytes != 0) fmt::print(stderr, ", server {} MiB", sample.resident_bytes / 1024 / 1024);
    fmt::print(stderr, "\n");
}

int run_load(LoadOptions options, const MakeDialect& make) {
    const auto fault = [](const std::string& why) {
        fmt::print(stderr, "parley: bench: {}\n", why);
        return 2;
    };
    if (const auto settled = options.settle(); !settled) return fault(settled.error().message);
    if (options.urls.empty()) return fault("--url is missing");
    if (!options.pids.empty() && !process_use(options.pids)) return fault("--pid: there is no such process to look at");
    constexpr std::size_t kOtherDescriptors = 32;
    const std::size_t descriptors = raise_descriptor_limit();
    if (static_cast<std::size_t>(options.connections) + static_cast<std::size_t>(options.storm) + kOtherDescriptors >
        descriptors) {
        return fault(fmt::format(
            "--connections: a process may have {} descriptors here (`ulimit -Hn`), so {} connections at most; start "
            "several generators against several servers for more",
            descriptors, descriptors - kOtherDescriptors));
    }
    std::vector<Target> targets;
    Run::Dialects dialects;
    Run::Dialects storm_dialects;
    for (const std::string& url : options.urls) {
        auto target = resolve(url);
        if (!target) return fault(target.error().message);
        targets.push_back(std::move(*target));
        dialects.push_back(make(targets.back()));
        storm_dialects.push_back(make(targets.back()));
    }
    Run run{options, targets, dialects, storm_dialects};
    const auto tell_problems = [&run] {
        for (const std::string& line : run.tally().problems) fmt::print(stderr, "parley: bench: {}\n", line);
    };
    if (!run.set_up()) {
        tell_problems();
        return 2;
    }
    run.measure();
    run.finish();
    tell_problems();
    fmt::print("{}", table(options, run.tally(), run.server()));
    if (!options.json.empty()) {
        std::ofstream file{options.json};
        file << json(options, run.tally(), run.server());
        if (!file.flush()) return fault("--json: cannot write " + options.json);
    }
    return run.tally().good() ? 0 : 1;
}

}  // namespace parley::bench
