#include "serve.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "auth/destination.h"
#include "base/config_keys.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "chat/projection.h"
#include "exit_limit.h"
#include "fleet.h"
#include "gateway/core.h"
#include "gateway/probe.h"
#include "log/store.h"
#include "memory_watch.h"
#include "metrics.h"
#include "replays.h"
#include "rocks/open_files.h"
#include "settings.h"
#include "store/database.h"
#include "stores.h"
#include "tls_files.h"
#include "workers.h"

namespace parley::app {
namespace {

/// A start that cannot be is one clear line and exit status 2.
struct CannotStart {
    std::string why;
};

template <class T>
T must(Result<T> result) {
    if (!result) throw CannotStart{result.error().message};
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Longer than any server is between noting a change of a room and hearing of the log that it is stored.
constexpr seconds kChangeTakes{60};
/// After drain.limit, for connections and stores to close.

void use_all_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);  // what we have is enough to start
}

/// How bytes will reach the kernel, said in the log.
Result<rt::FlushKind> flush_kind(const Config& config) {
    const std::string wanted = config.get(keys::flush_kind);
    auto kind = rt::FlushKind::kAuto;
    if (wanted == "io_uring") kind = rt::FlushKind::kIoUring;
    if (wanted == "writev") kind = rt::FlushKind::kWritev;
    auto choice = rt::make_kernel(kind);
    if (!choice)
        return fail(Code::kInternal,
                    fmt::format("flush.kind ({}): {}", config.origin(keys::flush_kind), choice.error().message));
    std::string line = fmt::format("flush: {}", choice->kernel->name());
    if (!choice->why_not_io_uring.empty()) line += " (" + choice->why_not_io_uring + ")";
    logger::info("parley", line);
    return kind;
}

/// How many connections there are descriptors for, beside what is open already and what the stores may open.
std::size_t connections_that_fit(std::size_t listeners) {
    constexpr std::size_t kOthers = 128;  // those that are turned away, write-ahead logs, a compaction's files
    const std::filesystem::directory_iterator open_now{"/proc/self/fd"};
    const auto taken =
        static_cast<std::size_t>(std::distance(begin(open_now), end(open_now))) + listeners + kOthers +
        static_cast<std::size_t>(rocks::open_files(log::kOpenFiles) + rocks::open_files(store::kOpenFiles));
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= taken) {
        throw CannotStart{fmt::format("the limit of {} open files is too low (ulimit -n)", limit.rlim_cur)};
    }
    return static_cast<std::size_t>(limit.rlim_cur) - taken;
}

/// What ends the server, and SIGHUP where there are certificates to read again.
sigset_t taken_signals(const Config& config) {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGTERM);
    sigaddset(&out, SIGINT);
    if (TlsFiles::wanted(config)) sigaddset(&out, SIGHUP);
    return out;
}

/// Everything of a running server, in the order in which it depends on each other.
class Server {
public:
    Server(const Config& config, bool test_endpoints);
    ~Server();
    void run();

private:
    void open_tls(const Config& config);
    void reload_tls();
    [[nodiscard]] int next_signal() const;
    void make_public_room();
    [[nodiscard]] std::vector<std::string> shared_faults() const;
    void share_presence();
    void start_workers();
    void share_sessions();
    void start_cores();
    void wait_for_signal(milliseconds limit, std::function<bool()> done);
    void drain();

    const Config& config_;
    ExitLimit exit_limit_;  ///< first, so that it outlives what it ends
    SystemClock clock_;
    metrics::Registry metrics_;
    gateway::Counters counters_{metrics_};
    MemoryBudget memory_;
    gateway::Options options_;
    std::optional<TlsFiles> tls_files_;
    Stores stores_;
    Fleet fleet_;
    std::optional<auth::TokenKeys> keys_;
    auth::Passwords passwords_;
    std::optional<auth::Tickets> tickets_;
    std::unique_ptr<auth::RateLimits> rates_;
    std::unique_ptr<room::Presence> presence_;
    std::unique_ptr<rt::Runtime> runtime_;
    std::unique_ptr<bus::InprocBus> local_bus_;
    std::unique_ptr<bus::FleetBus> fleet_bus_;  ///< null: this server is alone
    bus::Bus* bus_ = nullptr;                   ///< the one of the two that reaches everybody
    std::unique_ptr<rt::WorkPool> reads_;
    std::unique_ptr<rt::WorkPool> hashing_;
    std::unique_ptr<rt::WorkPool> replaying_;
    std::unique_ptr<auth::TokenGuard> guard_;
    std::optional<gateway::FleetPlace> place_;  ///< none: nobody brings requests of others
    std::unique_ptr<gateway::Services> services_;
    std::unique_ptr<room::PresenceSync> presence_sync_;
    std::unique_ptr<Workers> workers_;
    std::vector<std::unique_ptr<gateway::Core>> cores_;
    std::unique_ptr<gateway::Probe> probe_;
    std::unique_ptr<MemoryWatch> memory_watch_;
    std::vector<metrics::GaugeHandle> gauges_;
};

void Server::open_tls(const Config& config) {
    if (!TlsFiles::wanted(config)) return;
    tls_files_.emplace(must(TlsFiles::of(config, clock_)));
    options_.tls = must(tls_files_->load());
    logger::info("parley", "TLS is done in this process, on the way to the flush; the kernel's is not used",
                 {{"certificates", options_.tls->summary()}});
}

void Server::reload_tls() {
    const auto fresh = tls_files_->load();
    if (!fresh) {
        logger::error("parley", "the new certificates are not used, the old ones stay",
                      {{"why", fresh.error().message}});
        return;
    }
    logger::info("parley", "certificates were read again", {{"certificates", (*fresh)->summary()}});
    for (std::size_t i = 0; i < runtime_->size(); ++i) {
        runtime_->loop(i).post([this, i, tls = *fresh] {
            if (cores_[i] != nullptr) cores_[i]->set_tls(tls);
        });
    }
}

Server::Server(const Config& config, bool test_endpoints) : config_(config), memory_(must(memory_limit(config))) {
    options_ = must(gateway_options(config, must(doors(config)), test_endpoints));
    open_tls(config);
    options_.cursor_keys = must(cursor_keys(config));
    keys_.emplace(must(token_keys(config)));
    stores_ = must(open_stores(config, table_writing(config.get(keys::worker_roles)), memory_.limit(), clock_));
    fleet_ = must(join_fleet(config, *stores_.log, clock_));
    tickets_.emplace(*fleet_.cache, clock_);
    make_public_room();
    const bool is_shared = config.get(keys::store_kind) != "embedded";
    const WallTime others_since = is_shared ? clock_.wall() - kChangeTakes : WallTime::max();
    if (const auto late = must(chat::settle_changes(*stores_.log, *stores_.directory, others_since)).size();
        late != 0) {
        logger::info("parley", "finished changes of rooms that were cut off", {{"count", late}});
    }
    rates_ = std::make_unique<auth::RateLimits>(rate_options(config),
                                                config.get(keys::cache_kind) == "redis" ? fleet_.cache.get() : nullptr);
    presence_ = std::make_unique<room::Presence>(config.get(keys::presence_grace));
    const auto wanted = static_cast<std::size_t>(config.get(keys::threads));
    const std::size_t threads = wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
    runtime_ = std::make_unique<rt::Runtime>(threads, clock_, must(flush_kind(config)));
    local_bus_ = std::make_unique<bus::InprocBus>(*runtime_);
    bus_ = local_bus_.get();
    if (fleet_.carrier != nullptr) {
        fleet_bus_ = fleet_bus(config, std::move(fleet_.carrier), *local_bus_, clock_, metrics_);
        bus_ = fleet_bus_.get();
    }
    if (stores_.on_own_commit) {
        // From its log each server hears every message: nothing of it has to go from server to server.
        stores_.log->on_commit([this](std::span<const MessageRef> messages) { local_bus_->announce(messages); });
        if (fleet_bus_ != nullptr)
            stores_.on_own_commit([this](std::span<const MessageRef> messages) { fleet_bus_->mirror(messages); });
    } else {
        stores_.log->on_commit([this](std::span<const MessageRef> messages) { bus_->announce(messages); });
    }
    reads_ = std::make_unique<rt::WorkPool>("parley-read", 4, 100'000);
    hashing_ = std::make_unique<rt::WorkPool>("parley-argon2", 1, 32);
    replaying_ = std::make_unique<rt::WorkPool>("parley-replay", 2, 32);
    guard_ = std::make_unique<auth::TokenGuard>(
        *keys_, *fleet_.cache, *stores_.directory, *reads_, clock_,
        auth::TokenGuard::Options{.allow_when_cache_down = config.get(keys::auth_cache_down) == "allow",
                                  .require_registered = config.get(keys::members_require_registered),
                                  .cache_is_shared = config.get(keys::cache_kind) == "redis",
                                  .directory_is_shared = config.get(keys::store_kind) != "embedded"});
    guard_->on_revoked([this](const auth::Revocation& revocation) {
        using Kind = bus::Notice::Kind;
        if (revocation.sha256_hex.empty()) {
            bus_->notify({Kind::kMemberRevoked, revocation.member.str(), {}, revocation.before});
        } else {
            bus_->notify({Kind::kTokenRevoked, revocation.sha256_hex, {}, {}});
        }
    });
    services_.reset(new gateway::Services{*runtime_, *stores_.log, *stores_.directory, *bus_, *presence_, *keys_,
                                          *guard_, *tickets_, *rates_, passwords_, *reads_, *hashing_, metrics_,
                                          counters_, options_});
    services_->memory = &memory_;
    services_->replaying = replaying_.get();
    services_->open_replay = must(open_replays(config, stores_));
    services_->hears_others = [this] { return fleet_bus_ != nullptr && fleet_bus_->trouble().empty(); };
    services_->shared_faults = [this] { return shared_faults(); };
    if (stores_.lags) services_->reader_lags = stores_.lags;
    if (fleet_bus_ != nullptr) share_presence();
    if (shares_sessions(config)) share_sessions();
    services_->topic_hubs.resize(threads);
    services_->cores.resize(threads);
    probe_ = std::make_unique<gateway::Probe>(*services_, stores_.own_fault);
    start_workers();
    start_cores();
    memory_watch_ = std::make_unique<MemoryWatch>(memory_, clock_, [this] {
        for (std::size_t i = 0; i < runtime_->size(); ++i) {
            runtime_->loop(i).post([this, i] {
                if (cores_[i] != nullptr) cores_[i]->share_memory();
            });
        }
    });
    gauges_ = server_gauges(metrics_, *services_, stores_.log_stats);
    if (stores_.lags) add_lag_gauges(gauges_, metrics_, stores_.lags, stores_.lag_partitions);
}

/// The room behind `/topic/public` is there from the start: a guest's first word makes no room.
void Server::make_public_room() {
    if (!options_.public_profile) return;
    store::RoomInfo room;
    room.id = auth::public_room();
    room.name = room.id.str();
    room.kind = store::RoomKind::kTopic;
    room.created_at = clock_.wall();
    const auto made = stores_.directory->add_room(room, {});
    if (!made && made.error().code != Code::kRoomExists) throw CannotStart{made.error().message};
}

std::vector<std::string> Server::shared_faults() const {
    std::vector<std::string> out;
    if (fleet_bus_ != nullptr && !fleet_bus_->trouble().empty()) out.emplace_back("bus");
    if (!fleet_.cache_fault().empty()) out.emplace_back("cache");
    for (std::string& fault : stores_.faults()) out.push_back(std::move(fault));
    if (workers_ != nullptr) std::ranges::move(workers_->faults(), std::back_inserter(out));
    return out;
}

void Server::share_presence() {
    presence_sync_ = std::make_unique<room::PresenceSync>(
        *presence_, random_number(), config_.get(keys::presence_grace),
        [this](std::string word) {
            bus_->notify({bus::Notice::Kind::kPresence, {}, std::move(word), {}});
        },
        [this](const RoomId& room, const MemberId& member, const std::string& nickname, bool present) {
            cores_[0]->chat().tell_presence(room, member, nickname, present);
        });
    services_->presence_sync = presence_sync_.get();
}

void Server::start_workers() {
    workers_ = must(Workers::open(config_, config_.get(keys::worker_roles),
                                  {stores_, *bus_, clock_, metrics_,
                                   [this](const RoomId& room) {
                                       std::vector<worker::Named> out;
                                       for (auto& [member, nickname] : presence_->present(room))
                                           out.push_back({member, nickname});
                                       return out;
                                   },
                                   [this] { return services_->hears_others(); }}));
    services_->on_messages = [this](const bus::MessageBatch& batch) { workers_->hint(batch); };
    services_->on_missed = [this] { workers_->missed(); };
    services_->admin_read = [this](const std::string& path, const wire::QueryParams& query) {
        return workers_->read(path, query);
    };
}

void Server::share_sessions() {
    const auto door = std::ranges::find_if(options_.doors, &gateway::Door::for_servers);
    place_.emplace(gateway::Owner{random_number(), door->at}, *fleet_.cache,
                   gateway::RelayWords{fleet_keys(config_, kRelays)});
    services_->fleet = &*place_;
}

void Server::start_cores() {
    cores_.resize(runtime_->size());
    std::vector<Result<>> listening(runtime_->size());
    runtime_->for_each([&](rt::Loop& loop) {
        auto& core = cores_[loop.index()];
        core = std::make_unique<gateway::Core>(loop, *services_);
        local_bus_->attach(loop, *core);
    });
    options_.max_connections = connections_that_fit(2 * runtime_->size() * options_.doors.size());
    const auto alone = rt::why_no_shared_port();
    if (alone) logger::info("parley", "one listening socket for all loops", {{"why", *alone}});
    // Listening begins when every core is there: a request may move to another core.
    for (const gateway::Door& door : options_.doors) {
        using enum rt::Listener::Port;
        const bool is_one = alone || door.at.is_unix();
        runtime_->for_each([&](rt::Loop& loop) {
            auto& result = listening[loop.index()];
            if (door.for_operators && loop.index() != 0) return;
            if (!is_one || loop.index() == 0) result = cores_[loop.index()]->listen(door, is_one ? kAlone : kShared);
        });
        for (auto& result : listening) must(std::exchange(result, {}));
        std::string_view what = "listening";
        if (door.for_operators) what = "the operators' listener is open";
        if (door.for_servers) what = "listening for the other servers";
        logger::info("parley", what, {{"url", url(door)}, {"proxy_protocol", door.proxy_protocol}});
    }
}

Server::~Server() {
    gauges_.clear();
    memory_watch_.reset();
    if (probe_) probe_->stop();
    if (runtime_ != nullptr) {
        // While one accepts it looks at all of them: they go when nobody accepts any more, and nothing accepted is on
        // its way from one to another.
        runtime_->for_each([this](rt::Loop& loop) {
            if (loop.index() < cores_.size() && cores_[loop.index()]) cores_[loop.index()]->stop_listening();
        });
        runtime_->for_each([](rt::Loop&) {});
        runtime_->for_each([this](rt::Loop& loop) {
            local_bus_->detach(loop);
            if (loop.index() < cores_.size()) cores_[loop.index()].reset();
        });
    }
    // Nothing asks any more; what was accepted is finished before its parts go.
    exit_limit_.waits_for("requests under way");
    guard_.reset();
    reads_.reset();
    hashing_.reset();
    replaying_.reset();
    exit_limit_.waits_for("the lag of the topic's readers");
    stores_.lag_watch.reset();
    exit_limit_.waits_for("worker roles");
    workers_.reset();
    exit_limit_.waits_for("messages on their way into the log");
    stores_.log.reset();
    probe_.reset();
    exit_limit_.waits_for("the bus");
    fleet_bus_.reset();
    fleet_ = {};  // its last answers still find the loops
    if (runtime_ != nullptr) runtime_->stop();
    exit_limit_.waits_for("the stores");
}

void Server::run() {
    const std::string main_url = url(options_.doors.front());
    fmt::print("parley ready {}\n", main_url);
    std::fflush(stdout);
    logger::info("parley", "serving",
                 {{"url", main_url},
                  {"data_dir", config_.get(keys::data_dir)},
                  {"threads", runtime_->size()},
                  {"memory", memory_.limit()}});
    for (;;) {
        const int signal = next_signal();
        if (signal == SIGTERM || signal == SIGINT) break;
        if (signal == SIGHUP || tls_files_->load_is_due()) reload_tls();
    }
    exit_limit_.begin(config_.get(keys::drain_limit));
    exit_limit_.waits_for("connections");
    drain();
}

/// SIGHUP, or 0 after a second, only where there are certificates to look after.
int Server::next_signal() const {
    const sigset_t signals = taken_signals(config_);
    int signal = 0;
    if (tls_files_) {
        const timespec second{1, 0};
        return std::max(0, ::sigtimedwait(&signals, nullptr, &second));
    }
    ::sigwait(&signals, &signal);
    return signal;
}

/// Waits up to `limit` or until done() holds; a second signal ends the wait.
void Server::wait_for_signal(milliseconds limit, std::function<bool()> done) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    const auto end = clock_.steady() + limit;
    while (!done() && clock_.steady() < end) {
        timespec step{0, 20'000'000};
        if (::sigtimedwait(&signals, nullptr, &step) > 0) return;
    }
}

void Server::drain() {
    const auto limit = config_.get(keys::drain_limit);
    const auto begun = clock_.steady();
    const auto left = [&] {
        return std::max(milliseconds{0}, limit - std::chrono::floor<milliseconds>(clock_.steady() - begun));
    };
    const auto nobody = [this] { return services_->sessions == 0 && services_->calls == 0; };
    services_->not_ready = true;
    logger::info("parley", "shutting down",
                 {{"sessions", services_->sessions.load()}, {"requests", services_->calls.load()}});
    wait_for_signal(std::min(config_.get(keys::drain_notice), left()), nobody);
    services_->draining = true;
    const auto spread = std::min(config_.get(keys::drain_spread), left());
    runtime_->for_each([&](rt::Loop& loop) { cores_[loop.index()]->drain(spread); });
    wait_for_signal(left(), nobody);
    // The last answers and close frames get a moment to leave.
    wait_for_signal(std::min(left(), milliseconds{500}), [this] {
        std::uint64_t queued = 0;
        for (const auto& core : cores_) queued += core->connections().queued_bytes();
        return queued == 0;
    });
}

}  // namespace

int serve(const Config& config, bool test_endpoints) {
    // Before any thread exists: signals are taken by sigwait alone.
    const sigset_t signals = taken_signals(config);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    use_all_descriptors();
    try {
        warn_of_unused(config);
        Server server{config, test_endpoints};
        server.run();
    } catch (const CannotStart& problem) {
        fmt::print(stderr, "parley: {}\n", problem.why);
        return 2;
    }
    return 0;
}

}  // namespace parley::app
