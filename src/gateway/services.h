#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/jwt.h"
#include "auth/passwords.h"
#include "auth/rate_limit.h"
#include "auth/tickets.h"
#include "auth/token_guard.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "bus/bus.h"
#include "gateway/door.h"
#include "gateway/fleet_place.h"
#include "gateway/online.h"
#include "gateway/replay_source.h"
#include "gateway/rest_turns.h"
#include "gateway/ws_session.h"
#include "log/reader_lag.h"
#include "log/room_log.h"
#include "room/presence.h"
#include "room/presence_sync.h"
#include "rt/runtime.h"
#include "rt/work_pool.h"
#include "store/directory.h"
#include "wire/forwarded.h"
#include "wire/query.h"
#include "wire/stomp.h"

namespace parley::gateway {

/// What an operator decides about the front door.
struct Options {
    bool loopback = true;            ///< only this machine connects: every listener is local, and no proxy is trusted
    std::vector<Door> doors;         ///< where clients come in; the first is the main one
    wire::TrustedProxies proxies{};  ///< whose word about a client's address counts
    std::shared_ptr<const rt::TlsContext> tls{};  ///< of the doors that speak it, until Core::set_tls()
    seconds hsts{0};                              ///< browsers shall come by https alone for so long; 0 says nothing
    bool public_profile = true;
    bool test_endpoints = false;
    bool auto_create = true;
    bool require_registered = false;
    bool log_is_shared = false;  ///< other servers store in the same rooms
    bool ready_strict = false;   ///< a fault that all servers share makes /ready 503 too
    std::size_t max_sessions = 10'000;
    std::size_t max_connections = 1'000'000'000;  ///< by the descriptors there are
    Bytes message{128 * 1024};
    Bytes send_buffer{512 * 1024};
    milliseconds send_time{20'000};
    Bytes handshake_header{16 * 1024};
    milliseconds handshake_time{10'000};
    milliseconds body_time{30'000};
    milliseconds idle_time{75'000};
    WsPatience patience;
    std::size_t subscriptions = 256;
    std::vector<std::string> origins;  ///< allowed besides the own host; `*` is any
    std::string sockjs_client_url;     ///< where the iframe page loads sockjs-client; empty: our copy
    bool sockjs_cookie_needed = false;
    milliseconds sockjs_heartbeat{30'000};
    wire::HeartBeat heart_beat{30'000, 30'000};
    milliseconds session_ttl{30 * 60'000};
    std::string admin_token;                 ///< what operators send on the admin listener
    milliseconds token_ttl{12 * 3'600'000};  ///< of tokens that login gives
    std::vector<std::string> cursor_keys;    ///< what seals X-Parley-Cursor; the first makes, all open
};

/// What the sessions count. Each is any-thread.
struct Counters {
    explicit Counters(metrics::Registry& registry);
    metrics::Counter& messages_in;
    metrics::Counter& messages_out;
    metrics::Counter& set_back;
    metrics::Histogram& fan_out_latency;
    /// Refusals by error code.
    metrics::Counter& refused(Code code);
    /// Sessions begun, by transport.
    metrics::Counter& sessions(const std::string& transport);
    metrics::Counter& proxy_headers_refused;
    metrics::Counter& relayed;
    metrics::Counter& relays_refused;

private:
    metrics::Registry& registry_;
};

/// Counts for as long as it lives. Thread: any. Must not outlive the count.
class UnderWay {
public:
    explicit UnderWay(std::atomic<std::size_t>& count) noexcept : count_(&count) { count_->fetch_add(1); }
    UnderWay(UnderWay&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    UnderWay& operator=(UnderWay&&) = delete;
    ~UnderWay() {
        if (count_ != nullptr) count_->fetch_sub(1);
    }

private:
    std::atomic<std::size_t>* count_;
};

/// The parts of the server that every core's gateway works with. Owned by main; outlives the cores.
struct Services {
    rt::Runtime& runtime;
    log::RoomLog& log;
    store::Directory& directory;
    bus::Bus& bus;
    room::Presence& presence;
    auth::TokenKeys& keys;
    auth::TokenGuard& guard;
    auth::Tickets& tickets;
    auth::RateLimits& rates;
    auth::Passwords& passwords;
    rt::WorkPool& reads;    ///< log and directory
    rt::WorkPool& hashing;  ///< Argon2: one worker, short queue
    metrics::Registry& metrics;
    Counters& counters;
    const Options& options;

    const MemoryBudget* memory = &MemoryBudget::unlimited();
    std::vector<class TopicHub*> topic_hubs{};  ///< by loop
    std::vector<class Core*> cores{};           ///< by loop; each touched on its loop only
    std::atomic<std::size_t> sessions{0};       ///< open, of every transport
    std::atomic<std::size_t> entering{0};       ///< being judged, not in `sessions` yet
    std::atomic<std::size_t> calls{0};          ///< of REST and of operators, taken and not answered yet
    std::atomic<std::uint64_t> next_session{1};
    Online online{};
    const FleetPlace* fleet = nullptr;            ///< where there are servers that bring each other requests
    room::PresenceSync* presence_sync = nullptr;  ///< where there are other servers; the first loop's
    RoomTurns room_turns{};                       ///< of changes that REST makes
    std::atomic<bool> draining{false};            ///< new connections get 503
    std::atomic<bool> not_ready{false};           ///< shutting down: /ready answers 503
    /// What /ready answers.
    struct Readiness {
        bool ready;
        std::string json;
        Code code = Code::kStoreUnavailable;  ///< why it is not
    };
    std::function<Readiness()> readiness{};
    /// Whether changes that other servers make are heard of as they happen.
    std::function<bool()> hears_others = [] { return false; };
    /// What is away for every server of the fleet (`bus`, `cache`), not for this one alone: that leaves it ready.
    std::function<std::vector<std::string>()> shared_faults = [] { return std::vector<std::string>{}; };
    /// How far readers of the log are behind: told by /ready, without a say in whether this server is ready.
    log::ReaderLags reader_lags = [] { return nullptr; };
    /// Told of messages in the room `~probe`, on the first loop.
    std::function<void(const Message&)> on_probe{};
    /// What the bus brings, and that something of it may be missing: on the first loop, for readers beside the cores.
    std::function<void(const bus::MessageBatch&)> on_messages{};
    std::function<void()> on_missed{};
    /// What operators read below /admin/api beside the gateway's own, as JSON; none: no such path. On the pool.
    std::function<Result<std::optional<std::string>>(const std::string& path, const wire::QueryParams&)> admin_read{};
    /// What operators replay; none: no such path. Opened, read and ended on replay_pool().
    OpenReplay open_replay{};
    rt::WorkPool* replaying = nullptr;  ///< null: what is replayed takes no longer than other reads
    std::atomic<std::size_t> replays{0};

    /// Those being judged have their place: a storm of them would pass before the first has its session.
    [[nodiscard]] bool is_full() const noexcept { return sessions + entering >= options.max_sessions; }
    [[nodiscard]] rt::WorkPool& replay_pool() const noexcept { return replaying != nullptr ? *replaying : reads; }
};

}  // namespace parley::gateway
