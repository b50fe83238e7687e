#include "worker_command.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>

#include "base/config_keys.h"
#include "base/logger.h"
#include "command_line.h"
#include "exit_limit.h"
#include "fleet.h"
#include "gateway/health.h"
#include "gateway/health_door.h"
#include "metrics.h"
#include "settings.h"
#include "stores.h"
#include "workers.h"

namespace parley::app {
namespace {

/// What a worker is told by the bus: hints alone.
class Hints final : public bus::Bus::Listener {
public:
    explicit Hints(Workers& workers) : workers_(workers) {}
    void on_messages(const bus::MessageBatch& batch) override { workers_.hint(batch); }
    void on_room_event(const bus::RoomEvent&) override {}
    void on_notice(const bus::Notice&) override {}
    void on_missed() override { workers_.missed(); }

private:
    Workers& workers_;
};

Result<> check_roles(const Config& config, const std::vector<std::string>& roles) {
    if (config.get(keys::store_kind) == "embedded") {
        return at_key(config, keys::store_kind,
                      {Code::kBadRequest,
                       "an embedded store has one process: its roles run inside `parley serve` (worker.roles)"});
    }
    if (std::ranges::find(roles, "db-writer") != roles.end() && config.get(keys::log_kind) != "kafka") {
        return at_key(config, keys::log_kind,
                      {Code::kBadRequest, "the role db-writer is for log.kind=kafka: here the log is in the store"});
    }
    return {};
}

/// A server's stores and bus without its front door, in the order in which they depend on each other.
class WorkerProcess {
public:
    Result<> start(const Config& config, const std::vector<std::string>& roles);
    /// How long its end may take.
    void limit_end(milliseconds limit) { exit_limit_.begin(limit); }
    ~WorkerProcess();

private:
    Result<> listen(const gateway::Door& door, const Config& config);
    [[nodiscard]] gateway::Services::Readiness readiness() const;
    [[nodiscard]] std::vector<std::string> faults() const;

    ExitLimit exit_limit_;  ///< first, so that it outlives what it ends
    SystemClock clock_;
    metrics::Registry metrics_;
    rt::Runtime runtime_{1, clock_};
    Stores stores_;
    std::unique_ptr<bus::InprocBus> local_;
    std::unique_ptr<bus::FleetBus> fleet_;
    bus::Bus* bus_ = nullptr;
    std::unique_ptr<Workers> workers_;
    std::unique_ptr<Hints> hints_;
    std::vector<metrics::GaugeHandle> gauges_;
    std::unique_ptr<gateway::HealthDoor> health_;
    bool ready_strict_ = false;
    bool ending_ = false;  ///< the loop's
};

Result<> WorkerProcess::start(const Config& config, const std::vector<std::string>& roles) {
    const auto memory = memory_limit(config);
    if (!memory) return fail(memory.error());
    const auto door = worker_door(config);
    if (!door) return fail(door.error());
    auto stores = open_stores(config, table_writing(roles), *memory, clock_);
    if (!stores) return fail(stores.error());
    stores_ = std::move(*stores);
    auto fleet = join_fleet(config, *stores_.log, clock_);
    if (!fleet) return fail(fleet.error());
    local_ = std::make_unique<bus::InprocBus>(runtime_);
    bus_ = local_.get();
    if (fleet->carrier != nullptr) {
        fleet_ = fleet_bus(config, std::move(fleet->carrier), *local_, clock_, metrics_);
        bus_ = fleet_.get();
    }
    // Over a topic each process hears every message by itself: nothing of it goes from one to the other.
    bus::Bus& told = stores_.on_own_commit ? *local_ : *bus_;
    stores_.log->on_commit([&told](std::span<const MessageRef> messages) { told.announce(messages); });
    auto workers =
        Workers::open(config, roles,
                      {stores_, *bus_, clock_, metrics_, [](const RoomId&) { return std::vector<worker::Named>{}; },
                       [this] { return fleet_ != nullptr && fleet_->trouble().empty(); }});
    if (!workers) return fail(workers.error());
    workers_ = std::move(*workers);
    hints_ = std::make_unique<Hints>(*workers_);
    runtime_.for_each([this](rt::Loop& loop) { local_->attach(loop, *hints_); });
    return *door ? listen(**door, config) : Result<>{};
}

Result<> WorkerProcess::listen(const gateway::Door& door, const Config& config) {
    ready_strict_ = config.get(keys::ready_strict);
    add_log_gauges(gauges_, metrics_, stores_.log_stats);
    if (stores_.lags) add_lag_gauges(gauges_, metrics_, stores_.lags, stores_.lag_partitions);
    Result<> listening;
    runtime_.for_each([&](rt::Loop& loop) {
        auto health = gateway::HealthDoor::open(loop, door, {[this] { return readiness(); }, metrics_});
        if (!health) {
            listening = fail(health.error());
        } else {
            health_ = std::move(*health);
        }
    });
    if (!listening) return at_key(config, keys::worker_listen, listening.error());
    logger::info("parley", "the worker's listener is open", {{"url", url(door)}});
    return {};
}

std::vector<std::string> WorkerProcess::faults() const {
    std::vector<std::string> out;
    if (fleet_ != nullptr && !fleet_->trouble().empty()) out.emplace_back("bus");
    std::ranges::move(stores_.faults(), std::back_inserter(out));
    std::ranges::move(workers_->faults(), std::back_inserter(out));
    return out;
}

gateway::Services::Readiness WorkerProcess::readiness() const {
    if (ending_) return gateway::not_ready(Code::kDraining, "the worker is shutting down");
    if (const std::string own = stores_.own_fault(); !own.empty())
        return gateway::not_ready(Code::kStoreUnavailable, own);
    return gateway::ready(
        faults(), ready_strict_, stores_.lags ? stores_.lags : [] { return nullptr; });
}

WorkerProcess::~WorkerProcess() {
    // From here on /ready asks none of the parts.
    runtime_.for_each([this](rt::Loop&) { ending_ = true; });
    gauges_.clear();
    if (hints_ != nullptr) runtime_.for_each([this](rt::Loop& loop) { local_->detach(loop); });
    exit_limit_.waits_for("worker roles");
    workers_.reset();
    exit_limit_.waits_for("the lag of the topic's readers");
    stores_.lag_watch.reset();
    exit_limit_.waits_for("the log");
    stores_.log.reset();
    exit_limit_.waits_for("the bus");
    fleet_.reset();
    exit_limit_.waits_for("the stores");
    runtime_.for_each([this](rt::Loop&) { health_.reset(); });
    runtime_.stop();
}

}  // namespace

int run_worker(const Config& config, const std::vector<std::string>& roles) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    WorkerProcess process;
    auto started = check_roles(config, roles);
    if (started) started = process.start(config, roles);
    if (!started) return fault(started.error().message);
    fmt::print("parley worker ready {}\n", fmt::join(roles, ","));
    std::fflush(stdout);
    int signal = 0;
    ::sigwait(&signals, &signal);
    logger::info("parley", "the worker ends");
    process.limit_end(config.get(keys::drain_limit));
    return 0;
}

}  // namespace parley::app
