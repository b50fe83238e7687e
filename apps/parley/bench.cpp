#include "bench.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <span>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/config_keys.h"
#include "base/uuid.h"
#include "bench_client.h"
#include "bench_report.h"
#include "settings.h"

namespace parley::app {
namespace {

constexpr int kConnectingAtOnce = 128;
constexpr seconds kSetUpLimit{30};  ///< without a single connection more
constexpr seconds kEndLimit{15};    ///< for receipts and deliveries still on their way
constexpr std::size_t kReadSize = 256 * 1024;

/// `ws://HOST:PORT/PATH`; the error is a line for the user.
Result<> resolve(const std::string& url, BenchPlan& plan) {
    constexpr std::string_view kScheme = "ws://";
    if (!url.starts_with(kScheme)) return fail(Code::kBadRequest, "--url must be ws://HOST:PORT/PATH");
    const std::size_t slash = url.find('/', kScheme.size());
    plan.host = url.substr(kScheme.size(), slash - kScheme.size());
    plan.path = slash == std::string::npos ? "/ws-chat" : url.substr(slash);
    const auto address = keys::parse_address(plan.host);
    if (!address) return fail(Code::kBadRequest, "--url: " + address.error().message);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int problem = ::getaddrinfo(address->host.c_str(), std::to_string(address->port).c_str(), &hints, &found);
        problem != 0) {
        return fail(Code::kBadRequest, fmt::format("--url: {}: {}", address->host, ::gai_strerror(problem)));
    }
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
                reinterpret_cast<char*>(&plan.address));
    plan.address_size = found->ai_addrlen;
    ::freeaddrinfo(found);
    return {};
}

/// A run from the first connect to the last receipt, on one epoll.
class Run {
public:
    Run(const BenchRequest& request, BenchPlan& plan, const auth::TokenKeys& keys)
        : request_(request), plan_(plan), keys_(keys), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        const std::string prefix = "bench-" + random_hex(4) + '-';
        for (int i = 0; i < request.rooms; ++i) {
            rooms_.push_back(std::make_unique<BenchRoom>(prefix + std::to_string(i)));
        }
    }
    ~Run() { ::close(epoll_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    /// False: what is wrong is in the tally.
    bool set_up();
    void measure();
    void finish();
    [[nodiscard]] Tally& tally() noexcept { return tally_; }
    [[nodiscard]] const ServerUse& server() const noexcept { return server_; }

private:
    [[nodiscard]] BenchRole role(int number) const;
    bool open_one(int number);
    /// Handles what is there, waiting for at most `wait`.
    void turn(std::chrono::milliseconds wait);
    void progress(SteadyTime now, std::string_view phase);
    [[nodiscard]] static SteadyTime now() { return SystemClock{}.steady(); }
    [[nodiscard]] int count(bool (BenchClient::*what)() const noexcept) const {
        return static_cast<int>(std::count_if(clients_.begin(), clients_.end(),
                                              [what](const auto& client) { return (client.get()->*what)(); }));
    }

    const BenchRequest& request_;
    BenchPlan& plan_;
    const auth::TokenKeys& keys_;
    const int epoll_;
    Tally tally_;
    ServerUse server_;
    std::vector<std::unique_ptr<BenchRoom>> rooms_;
    std::vector<std::unique_ptr<BenchClient>> clients_;
    std::vector<bool> watched_writes_;
    std::string scratch_ = std::string(kReadSize, '\0');
    SteadyTime told_ = now();
    std::uint64_t told_acknowledged_ = 0;
    std::uint64_t told_delivered_ = 0;
};

BenchRole Run::role(int number) const {
    const bool sends = number < request_.senders;
    // A room's connections are number, number + rooms, …; its last ones receive.
    const int after = (request_.connections - 1 - number) / request_.rooms;
    const bool receives = after < request_.subscribers;
    return static_cast<BenchRole>((sends ? 1 : 0) + (receives ? 2 : 0));
}

bool Run::open_one(int number) {
    BenchRoom& room = *rooms_[static_cast<std::size_t>(number % request_.rooms)];
    auth::Claims claims;
    claims.member = MemberId::trusted("bench-" + std::to_string(number));
    claims.nickname = claims.member.str();
    const auto token = keys_.sign(claims, SystemClock{}.wall(), std::chrono::hours{24});
    if (!token) {
        tally_.problem(token.error().message);
        ++tally_.broken;
        return false;
    }
    clients_.push_back(std::make_unique<BenchClient>(plan_, tally_, room, role(number), number));
    watched_writes_.push_back(true);
    BenchClient& client = *clients_.back();
    if (!client.connect(*token)) return false;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u64 = static_cast<std::uint64_t>(number);
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd(), &event) == 0;
}

bool Run::set_up() {
    const auto before = process_use(request_.pid);
    SteadyTime moved = now();
    int ready = 0;
    while (ready < request_.connections) {
        while (static_cast<int>(clients_.size()) < request_.connections &&
               static_cast<int>(clients_.size()) < ready + kConnectingAtOnce) {
            if (!open_one(static_cast<int>(clients_.size()))) return false;
        }
        turn(std::chrono::milliseconds{100});
        if (tally_.broken != 0) return false;
        const int before_turn = std::exchange(ready, count(&BenchClient::ready));
        const SteadyTime time = now();
        if (ready != before_turn) moved = time;
        if (time - moved > kSetUpLimit) {
            tally_.problem(fmt::format("only {} of {} connections were made; none in the last {} s", ready,
                                       request_.connections, kSetUpLimit.count()));
            return false;
        }
        progress(time, "connecting");
    }
    const auto after = process_use(request_.pid);
    if (before && after) {
        server_.bytes_per_connection =
            (static_cast<double>(after->resident_bytes) - static_cast<double>(before->resident_bytes)) /
            request_.connections;
    }
    return true;
}

void Run::measure() {
    plan_.sending = true;
    for (auto& client : clients_) client->start();
    const SteadyTime started = now();
    const seconds warm_up{plan_.messages != 0 ? 0 : request_.warm_up};
    std::optional<ProcessUse> before;
    for (;;) {
        const SteadyTime time = now();
        if (!tally_.measuring && time >= started + warm_up) {
            tally_.measuring = true;
            tally_.begun = time;
            before = process_use(request_.pid);
        }
        const bool enough = plan_.messages != 0 ? tally_.all_acknowledged + tally_.refused >= plan_.messages
                                                : tally_.measuring && time >= tally_.begun + seconds{request_.seconds};
        if (enough || count(&BenchClient::failed) == request_.connections) break;
        turn(std::chrono::milliseconds{20});
        progress(time, tally_.measuring ? "measuring" : "warming up");
    }
    tally_.ended = now();
    tally_.measuring = false;
    plan_.sending = false;
    const auto after = process_use(request_.pid);
    if (before && after) server_.cpu_seconds = after->cpu_seconds - before->cpu_seconds;
}

void Run::finish() {
    const SteadyTime limit = now() + kEndLimit;
    const auto settled = [](const auto& client) {
        return client->failed() || (client->unanswered() == 0 && client->complete());
    };
    while (now() < limit && !std::all_of(clients_.begin(), clients_.end(), settled)) {
        turn(std::chrono::milliseconds{20});
        progress(now(), "waiting for the last");
    }
    for (const auto& client : clients_) {
        tally_.unanswered += client->unanswered();
        if (!client->complete()) ++tally_.incomplete;
    }
}

void Run::turn(std::chrono::milliseconds wait) {
    std::array<epoll_event, 512> events{};
    const int found =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
    for (const epoll_event& event : std::span{events}.first(static_cast<std::size_t>(std::max(found, 0)))) {
        BenchClient& client = *clients_[event.data.u64];
        if (client.failed()) continue;
        if ((event.events & EPOLLOUT) != 0) client.on_writable();
        if (!client.failed() && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) client.on_readable(scratch_);
        if (client.failed() || client.wants_write() == watched_writes_[event.data.u64]) continue;
        watched_writes_[event.data.u64] = client.wants_write();
        epoll_event change{};
        change.events = client.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
        change.data.u64 = event.data.u64;
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd(), &change);
    }
}

void Run::progress(SteadyTime time, std::string_view phase) {
    if (time - told_ < seconds{1}) return;
    const double passed = std::chrono::duration<double>(time - told_).count();
    told_ = time;
    const auto acknowledged = std::exchange(told_acknowledged_, tally_.all_acknowledged);
    const auto delivered = std::exchange(told_delivered_, tally_.all_delivered);
    fmt::print(stderr, "{}: {} connections, {:.0f} sends/s acknowledged, {:.0f} deliveries/s, receipt p99 {:.2f} ms\n",
               phase, count(&BenchClient::ready), static_cast<double>(tally_.all_acknowledged - acknowledged) / passed,
               static_cast<double>(tally_.all_delivered - delivered) / passed, tally_.receipt.percentile(0.99));
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int fault(const std::string& why) {
    fmt::print(stderr, "parley: {}\n", why);
    return 2;
}

}  // namespace

int bench(const Config& config, const BenchRequest& asked) {
    BenchRequest request = asked;
    const int per_room = (request.connections + request.rooms - 1) / request.rooms;
    if (request.senders < 0) request.senders = request.connections;
    if (request.subscribers < 0) request.subscribers = per_room;
    if (request.senders > request.connections) return fault("--senders: there are fewer --connections");
    if (request.subscribers > per_room) {
        return fault("--subscribers: a room has no more than --connections / --rooms of them");
    }
    if (request.pid != 0 && !process_use(request.pid)) return fault("--pid: there is no such process to look at");
    const auto options = token_options(config);
    if (!options) return fault(options.error().message);
    const auto keys = auth::TokenKeys::load(*options);
    if (!keys) return fault(keys.error().message);

    BenchPlan plan;
    plan.in_flight = request.in_flight;
    plan.payload = static_cast<std::size_t>(request.payload);
    plan.message_ids = request.message_ids;
    plan.messages = request.messages;
    const std::string url = request.url.empty() ? "ws://" + config.get(keys::listen) + "/ws-chat" : request.url;
    if (const auto resolved = resolve(url, plan); !resolved) return fault(resolved.error().message);

    raise_descriptor_limit();
    Run run{request, plan, *keys};
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
    fmt::print("{}", bench_table(request, run.tally(), run.server()));
    if (!request.json.empty()) {
        std::ofstream file{request.json};
        file << bench_json(request, run.tally(), run.server());
        if (!file.flush()) return fault("--json: cannot write " + request.json);
    }
    return run.tally().good() ? 0 : 1;
}

}  // namespace parley::app
