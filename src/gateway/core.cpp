#include "gateway/core.h"

#include <fmt/format.h>

#include "auth/acl.h"
#include "base/logger.h"
#include "base/room_change.h"
#include "base/uuid.h"
#include "gateway/broadcast.h"
#include "gateway/proxy_gate.h"
#include "gateway/relay_gate.h"
#include "gateway/rest_json.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "gateway/sockjs_sessions.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 60\r\n"
    "Cache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    R"({"code":"SERVER_FULL","message":"too many open connections"})";
constexpr std::size_t kTurnedAwayAtOnce = 64;
constexpr std::size_t kLookAtOnce = 128;
constexpr std::size_t kLooksASecond = 40;
/// Each second another part of those who are online is said to the other servers.
constexpr std::size_t kOnlineParts = 10;
constexpr seconds kOnlineHolds{3 * kOnlineParts};
/// At least, for a peer whose kernel acknowledges nothing.
constexpr milliseconds kGiveUpAfter{60'000};

std::string online_key(std::uint64_t member) { return fmt::format("online:{:016x}", member); }

/// Says why, and gives the peer the time to read it.
struct TurnedAway final : rt::Connection::Handler {
    void on_open(rt::Connection& connection) override {
        connection.send_copy(kBusy);
        connection.finish();
    }
    std::size_t on_data(rt::Connection&, std::span<char> bytes) override { return bytes.size(); }
    void on_closed(rt::Connection&) override {}
};

}  // namespace

Core::Core(rt::Loop& loop, Services& services)
    : loop_(loop),
      services_(services),
      asker_(loop, services.reads),
      hashing_(loop, services.hashing, Code::kServerFull),
      replaying_(loop, services.replay_pool(), Code::kServerFull),
      memory_(loop, *services.memory),
      forms_(deflaters_),
      notifications_(asker_, services.directory),
      cursor_seal_(services.options.cursor_keys),
      hub_(loop, services.log, asker_,
           [this](const RoomId& room, const MemberId& member, UniqueFunction<void(Result<bool>)> then) {
               may_read(room, member, std::move(then));
           },
           {}),
      heads_(services.log, asker_, hub_, news_),
      chat_({loop, services.log, services.directory, services.bus, services.presence, services.rates, asker_},
            {.auto_create = services.options.auto_create, .content_limit = services.options.message.count}),
      topics_(services.runtime, services.topic_hubs),
      broadcast_(std::make_unique<Broadcast>(*this)),
      sockjs_(std::make_unique<SockJsSessions>(*this)),
      router_(std::make_unique<Router>(*this)),
      tls_(services.options.tls),
      connections_(loop, {.send_buffer = services.options.send_buffer,
                          .send_time = std::chrono::ceil<seconds>(services.options.send_time),
                          .memory = services.memory}),
      second_(rt::Timer::of<&Core::on_second>(this)),
      token_watch_(*this),
      look_timer_(rt::Timer::of<&Core::look_at_sessions>(this)),
      drain_timer_(rt::Timer::of<&Core::drain_next>(this)),
      id_prefix_(random_hex(4)) {
    http_options_.limits.head = services.options.handshake_header;
    http_options_.handshake_time = services.options.handshake_time;
    http_options_.body_time = services.options.body_time;
    http_options_.idle_time = services.options.idle_time;
    http_options_.proxies = services.options.proxies;
    http_service_.body_limit = [this](const wire::HttpRequest& request) { return router_->body_limit(request); };
    http_service_.serve = [this](ExchangeRef exchange) { router_->serve(std::move(exchange)); };
    http_service_.date = [this] { return date(); };
    http_service_.failed = [this](const Error& error) { refusals_.note(error.code, error.message); };
    http_options_.hsts = services.options.hsts;
    admin_service_ = http_service_;
    admin_service_.serve = [this](ExchangeRef exchange) { router_->serve_admin(exchange); };
    full_service_ = http_service_;
    full_service_.serve = [](const ExchangeRef& exchange) {
        exchange->refuse_and_close({Code::kServerFull, "too many open connections"});
    };
    hub_.on_growth([this] { share_memory(); });
    hub_.on_rested([this](WallTime stored) { count_delivered(stored); });
    services_.topic_hubs[loop.index()] = &topics_;
    services_.cores[loop.index()] = this;
    loop_.arm(second_, seconds{1});
}

Core::~Core() {
    listeners_.clear();
    connections_.close_all();
    sockjs_.reset();
    services_.topic_hubs[loop_.index()] = nullptr;
    services_.cores[loop_.index()] = nullptr;
}

Result<> Core::listen(const Door& door, rt::Listener::Port port) {
    const auto accept = [this, &door, port](int fd) {
        port == rt::Listener::Port::kAlone ? open_on_next_core(fd, door) : open(fd, door);
    };
    auto listener = rt::Listener::open(loop_, door.at, accept, door.tls ? std::string{} : std::string{kBusy}, port);
    if (!listener) return fail(listener.error());
    listeners_.push_back(std::move(*listener));
    return {};
}

std::unique_ptr<HttpSession> Core::new_session(Arrival arrival) {
    const auto& service = arrival.door->for_operators ? admin_service_ : http_service_;
    return std::make_unique<HttpSession>(loop_, service, http_options_, std::move(arrival));
}

void Core::serve_http(rt::Connection& connection, Arrival arrival) {
    if (arrival.door->tls) connection.start_tls(std::make_unique<rt::Tls>(*tls_));
    connection.set_handler(new_session(std::move(arrival)));
}

void Core::open(int fd, const Door& door) {
    const std::size_t count = connections_of_all();
    if (count < options().max_connections) {
        rt::give_up_after(fd, std::max({2 * options().patience.ping, options().send_time, kGiveUpAfter}));
        if (door.for_servers) {
            connections_.open(fd, std::make_unique<RelayGate>(*this, door));
        } else if (door.proxy_protocol) {
            connections_.open(fd, std::make_unique<ProxyGate>(*this, door));
        } else {
            connections_.open(with_tls(fd, door), new_session({&door}));
        }
    } else if (count >= options().max_connections + kTurnedAwayAtOnce) {
        rt::turn_away(fd, door.tls ? std::string_view{} : kBusy);
    } else if (door.tls && !door.proxy_protocol) {
        connections_.open(with_tls(fd, door),
                          std::make_unique<HttpSession>(loop_, full_service_, http_options_, Arrival{&door}));
    } else {
        connections_.open(fd, std::make_unique<TurnedAway>());
    }
}

rt::Connection::Detached Core::with_tls(int fd, const Door& door) const {
    return {.fd = fd, .tls = door.tls ? std::make_unique<rt::Tls>(*tls_) : nullptr};
}

void Core::open_on_next_core(int fd, const Door& door) {
    next_core_ = (next_core_ + 1) % services_.cores.size();
    services_.runtime.loop(next_core_).post([&services = services_, to = next_core_, fd, &door] {
        Core* const core = services.cores[to];
        core != nullptr ? core->open(fd, door) : rt::turn_away(fd, kBusy);
    });
}

std::size_t Core::connections_of_all() const noexcept {
    std::size_t sum = 0;
    for (const Core* core : services_.cores) {
        if (core != nullptr) sum += core->connections_.count();
    }
    return sum;
}

void Core::adopt(rt::Connection::Detached detached, wire::HttpRequest request, Arrival arrival) {
    auto handler = new_session(std::move(arrival));
    HttpSession& session = *handler;
    connections_.open(std::move(detached), std::move(handler));
    session.adopt(std::move(request));
}

void Core::stop_listening() { listeners_.clear(); }

void Core::refuse_proxy_header(std::string peer, std::string_view why) {
    services_.counters.proxy_headers_refused.add();
    ++refused_headers_.count;
    refused_headers_.peer = std::move(peer);
    refused_headers_.why = why;
}

void Core::log_refused_headers() {
    if (refused_headers_.count == 0) return;
    const auto refused = std::exchange(refused_headers_, {});
    logger::warn("gateway", "connections without a good PROXY header were closed",
                 {{"count", refused.count}, {"peer", refused.peer}, {"why", refused.why}});
}

void Core::share_memory() {
    const Bytes share = services_.memory->share(options().send_buffer);
    if (share == shared_buffer_) return;
    shared_buffer_ = share;
    hub_.set_memory(services_.memory->share(512_KiB));
    connections_.set_send_buffer(share);
}

std::string_view Core::date() {
    if (date_.empty()) date_ = wire::format_http_date(loop_.clock().wall());
    return date_;
}

std::string Core::random_id() { return id_prefix_ + std::to_string(loop_.index()) + '-' + std::to_string(++next_id_); }

void Core::add(Session& session) {
    session.place_ = static_cast<std::uint32_t>(sessions_.size());
    sessions_.push_back(&session);
    services_.sessions.fetch_add(1);
}

void Core::remove(Session& session) noexcept {
    if (session.place_ == Session::kNotListed) return;
    sessions_.back()->place_ = session.place_;
    sessions_[session.place_] = sessions_.back();
    sessions_.pop_back();
    session.place_ = Session::kNotListed;
    services_.sessions.fetch_sub(1);
}

void Core::came_online(const MemberId& member, std::string_view nickname) {
    if (!services_.online.arrive(member)) return;
    bus::Notice notice{bus::Notice::Kind::kMemberOnline,
                       member.str(),
                       JsonObject{}.text("memberId", member.str()).text("nickName", nickname).str(),
                       {}};
    if (services_.fleet == nullptr) {
        services_.bus.notify(std::move(notice));
        return;
    }
    // Whoever is first among the servers says so; where nobody can tell, each.
    const std::string mine = fmt::format("{:016x} {}", services_.fleet->self.server, random_id());
    services_.fleet->cache.claim(
        online_key(Online::key(member)), mine, loop_.clock().wall() + kOnlineHolds,
        [&services = services_, &loop = loop_, mine, notice = std::move(notice)](Result<std::string> first) mutable {
            if (first && *first != mine) return;
            loop.post([&services, at = loop.index(), notice = std::move(notice)]() mutable {
                if (services.cores[at] != nullptr) services.bus.notify(std::move(notice));
            });
        });
}

/// A member of any server is online for as long as one of them goes on saying so.
void Core::say_who_is_online() {
    if (services_.fleet == nullptr) return;
    const auto until = loop_.clock().wall() + kOnlineHolds;
    for (const std::uint64_t member : services_.online.part(seconds_ % kOnlineParts, kOnlineParts)) {
        services_.fleet->cache.put(online_key(member), "1", until, [](const Result<>&) {});
    }
}

void Core::went_offline(const MemberId& member) { services_.online.leave(member, loop_.now()); }

void Core::read_mark(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<RoomSeq>)> then) {
    asker_.ask([&directory = services_.directory, room, member] { return directory.read_mark(room, member); },
               std::move(then));
}

void Core::may_read(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<bool>)> then) {
    asker_.ask(
        [&directory = services_.directory, room, member]() -> Result<bool> {
            auto found = directory.membership(room, member);
            if (!found) return fail(found.error());
            return *found &&
                   ((*found)->standing == store::Standing::kMember || (*found)->standing == store::Standing::kOwner);
        },
        std::move(then));
}

void Core::on_messages(const bus::MessageBatch& batch) {
    hub_.on_messages(*batch);
    news_.on_messages(*batch);
    if (batch->empty()) return;
    count_delivered(batch->back()->created_at);
    if (loop_.index() == 0) {
        for (const MessageRef& message : *batch) {
            if (message->room.str() == "~probe") services_.on_probe(*message);
        }
        if (services_.on_messages) services_.on_messages(batch);
    }
}

void Core::count_delivered(WallTime stored) {
    const auto delivered = hub_.take_delivered();
    if (delivered == 0) return;  // nobody here, or the room rests
    services_.counters.messages_out.add(delivered);
    const auto late = loop_.clock().wall() - stored;
    services_.counters.fan_out_latency.observe(std::chrono::duration<double>(late).count());
}

void Core::on_room_event(const bus::RoomEvent& event) { hub_.on_room_event(event.room, event.json); }

template <class Tell>
void Core::each_session(Tell tell) {
    // Backwards: telling one may end it, and the last takes its place.
    for (std::size_t i = sessions_.size(); i-- > 0;) {
        if (i < sessions_.size()) tell(*sessions_[i]);
    }
}

void Core::end_token(std::string_view sha256_hex) {
    each_session([&](Session& session) { session.on_token_revoked(sha256_hex); });
}

void Core::on_notice(const bus::Notice& notice) {
    using Kind = bus::Notice::Kind;
    switch (notice.kind) {
        case Kind::kRoomChanged: on_room_changed(RoomId::trusted(notice.subject), notice.body); return;
        case Kind::kTokenRevoked: end_token(notice.subject); return;
        case Kind::kMemberRevoked:
            each_session([member = MemberId::trusted(notice.subject), at = notice.at](Session& session) {
                session.on_member_revoked(member, at);
            });
            return;
        case Kind::kNotification: notification_queues_.tell(MemberId::trusted(notice.subject), notice.body); return;
        case Kind::kMemberOnline:
            notifications_.on_member_online(MemberId::trusted(notice.subject), notice.body);
            return;
        case Kind::kPresence:
            if (auto* sync = presence_sync()) sync->on_word(notice.body, loop_.now());
            return;
    }
}

void Core::on_missed() {
    chat_.book().forget_all();
    if (options().log_is_shared) heads_.ask();
    if (auto* sync = presence_sync()) sync->on_missed();
    if (loop_.index() == 0 && services_.on_missed) services_.on_missed();
}

room::PresenceSync* Core::presence_sync() const noexcept {
    return loop_.index() == 0 ? services_.presence_sync : nullptr;
}

void Core::on_room_changed(const RoomId& id, std::string_view change) {
    chat_.book().forget(id);
    news_.on_rights_changed(id);
    const auto parsed = parse_room_change(change);
    if (!parsed) return;
    if (parsed->kind == RoomChange::Kind::kJoined) {
        news_.on_rights_changed(NewsBoard::joined_by(parsed->member));
        return;
    }
    // Who subscribed between the change's record and its effect in the directory was judged by what was before.
    hub_.recheck(
        id, *parsed, [this](const RoomId& room, const MemberId& member, UniqueFunction<void(Result<bool>)> then) {
            chat_.view(room, member, [room, member, then = std::move(then)](Result<chat::RoomView> view) mutable {
                if (!view) {
                    then(fail(view.error()));
                    return;
                }
                then(auth::decide({.operation = auth::Operation::kSubscribe,
                                   .destination = auth::of_room(room),
                                   .who = {member, member.is_server_own()},
                                   .room = view->room,
                                   .membership = view->membership})
                         .allowed);
            });
        });
}

void Core::on_second() {
    date_.clear();
    services_.counters.messages_out.add(hub_.take_delivered());
    if (to_look_at_ == 0) {
        to_look_at_ = sessions_.size();
        token_watch_.on_second();
    }
    look_at_sessions();
    sockjs_->on_second();
    log_refused_headers();
    refusals_.say();
    chat_.book().forget_unused();
    ++seconds_;
    if (options().log_is_shared) ask_what_others_did();
    if (loop_.index() == 0) {
        chat_.sweep_presence();
        if (auto* sync = presence_sync()) sync->on_second(loop_.now(), services_.hears_others());
        services_.online.sweep(loop_.now());
        say_who_is_online();
        services_.guard.forget_old();
        forget_expired();
    }
    loop_.arm(second_, seconds{1});
}

/// Of many a part at a time: whoever waits for a message does not wait for all of them.
void Core::look_at_sessions() {
    const auto wall = loop_.clock().wall();
    for (auto left = std::max(kLookAtOnce, sessions_.size() / kLooksASecond); left > 0 && to_look_at_ > 0; --left) {
        // Backwards: one may end by it, and the last takes its place.
        if (--to_look_at_ >= sessions_.size()) continue;
        token_watch_.look_at(*sessions_[to_look_at_]);
        sessions_[to_look_at_]->on_second(wall, loop_.now());
    }
    token_watch_.ask();
    if (to_look_at_ > 0) loop_.arm(look_timer_, rt::TimerWheel::kTick);
}

/// Other servers tell of what they did; that may be lost, or there may be nobody to carry it.
void Core::ask_what_others_did() {
    if (seconds_ % 2 == 0) heads_.ask();
    if (!services_.hears_others()) chat_.book().forget_all();
}

/// Revocations of tokens that have expired by themselves are forgotten, once an hour.
void Core::forget_expired() {
    if (loop_.now() < next_forget_) return;
    next_forget_ = loop_.now() + std::chrono::hours{1};
    asker_.ask(
        [&directory = services_.directory, wall = loop_.clock().wall()] { return directory.forget_expired(wall); },
        [](const Result<std::size_t>&) {});
}

// --- shutting down ------------------------------------------------------------------------------------------------

void Core::drain(milliseconds spread) {
    drained_ = 0;
    to_drain_ = 0;
    drain_step_ = sessions_.empty() ? milliseconds{0} : spread / static_cast<std::int64_t>(sessions_.size());
    drain_next();
}

void Core::drain_next() {
    // Several at a time where the step is shorter than the timer's tick.
    const auto batch = drain_step_ >= rt::TimerWheel::kTick
                           ? 1
                           : std::max<std::int64_t>(1, rt::TimerWheel::kTick / std::max(drain_step_, milliseconds{1}));
    for (std::int64_t i = 0; i < batch && !sessions_.empty(); ++i) {
        // Backwards: one may end by it, and the last takes its place.
        if (to_drain_ == 0 || to_drain_ > sessions_.size()) to_drain_ = sessions_.size();
        // Each waits a little longer than the one before, so that they do not all return at once.
        sessions_[--to_drain_]->drain(milliseconds{500 + static_cast<std::int64_t>(drained_++ % 100) * 25});
    }
    if (!sessions_.empty()) loop_.arm(drain_timer_, std::max(drain_step_, rt::TimerWheel::kTick));
}

}  // namespace parley::gateway
