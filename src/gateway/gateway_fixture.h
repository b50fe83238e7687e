#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auth/encoding.h"
#include "base/temp_dir.h"
#include "cache/memory_cache.h"
#include "gateway/core.h"
#include "gateway/stomp_session.h"
#include "room/room_fixture.h"
#include "store/embedded_directory.h"

namespace parley::gateway::testing {

/// A log whose appends become durable when the test says so, and are then announced.
class SlowLog final : public log::RoomLog {
public:
    void append_all(std::vector<log::Append> appends) override {
        for (log::Append& each : appends) waiting.push_back(std::move(each));
        if (!held) store();
    }
    /// What was accepted becomes durable.
    void store() {
        while (!waiting.empty()) {
            auto [request, done] = std::move(waiting.front());
            waiting.pop_front();
            const RoomId room = request.room;
            const RoomSeq before = inner.at(room).head;
            inner.append(std::move(request), std::move(done));
            if (inner.is_down) continue;
            const auto page = inner.read(room, before, 100'000, Bytes{1UL << 30});
            if (listener) listener(page->messages);
        }
    }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override {
        return inner.read(room, after, limit, max);
    }
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override {
        return inner.read_before(room, before, limit, max);
    }
    Result<log::RoomHead> head(const RoomId& room) override { return inner.head(room); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override { return inner.seek(room, time); }
    void on_commit(CommitListener to) override { listener = std::move(to); }

    room::testing::FakeLog inner;
    std::deque<log::Append> waiting;
    bool held = false;
    CommitListener listener;
};

/// Tells the one core there is, in its next turn.
class OneCoreBus final : public bus::Bus {
public:
    explicit OneCoreBus(rt::Loop& loop) : loop_(loop) {}
    void announce(std::span<const MessageRef> messages) override {
        const auto batch = std::make_shared<const std::vector<MessageRef>>(messages.begin(), messages.end());
        loop_.post([this, batch] { listener->on_messages(batch); });
    }
    void event(bus::RoomEvent event) override {
        loop_.post([this, event = std::move(event)] { listener->on_room_event(event); });
    }
    void event_here(bus::RoomEvent here) override { event(std::move(here)); }
    void notify(bus::Notice notice) override {
        loop_.post([this, notice = std::move(notice)] { listener->on_notice(notice); });
    }
    void missed() {
        loop_.post([this] { listener->on_missed(); });
    }
    bus::Bus::Listener* listener = nullptr;

private:
    rt::Loop& loop_;
};

/// The other side of a STOMP session: writes down each frame, `RECEIPT{receipt-id:1}`, and how it closed.
class Client final : public Link {
public:
    void send(std::string_view message) override { take(message); }
    void send_encoded(const rt::Slice& frames) override { take(frames.view()); }
    void close(std::uint16_t code, std::string_view reason) override {
        closed = code;
        close_reason = reason;
        session->on_closed();
    }
    void keep_alive(SteadyTime, const WsPatience&) override {}
    void resume() override { ++resumed; }
    [[nodiscard]] std::size_t queued() const override { return stuck ? bytes : 0; }
    [[nodiscard]] StompFraming framing() const override { return StompFraming::kWebSocket; }

    /// The frames since the last call, all of them.
    std::string heard() { return std::exchange(text, {}); }
    [[nodiscard]] std::size_t count(std::string_view what) const {
        std::size_t found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
        return found;
    }
    void read_all() {
        bytes = 0;
        session->on_drained();
    }

    std::shared_ptr<StompSession> session;
    std::string text;
    std::string close_reason;
    int closed = 0;
    int resumed = 0;
    bool stuck = false;  ///< takes nothing from its queue
    std::size_t bytes = 0;

private:
    void take(std::string_view frame) {
        text += frame;
        bytes += frame.size();
    }
};

/// One core over a log in memory and a directory on disk; the test turns the loop and moves the clock.
class GatewayTest : public ::testing::Test {
protected:
    void SetUp() override { start(); }
    void TearDown() override {
        for (auto& client : clients) client->session->on_closed();
        turn();
        core.reset();
        turn();
    }
    /// Options are in force from here on.
    void start() {
        directory = std::move(*store::EmbeddedDirectory::open(dir.path() + "/directory", clock));
        guard = std::make_unique<auth::TokenGuard>(keys, cache, *directory, pool, clock, guard_options);
        services.reset(new Services{runtime, log, *directory, bus, presence, keys, *guard, tickets, rates, passwords,
                                    pool, pool, metrics, counters, options});
        services->memory = &budget;
        services->topic_hubs.resize(1);
        services->cores.resize(1);
        log.on_commit([this](std::span<const MessageRef> messages) { bus.announce(messages); });
        core = std::make_unique<Core>(loop, *services);
        bus.listener = core.get();
    }

    // Time.
    void turn() {
        for (int i = 0; i < 4; ++i) {
            loop.run_once();
            while (pool.run_one()) loop.run_once();
        }
    }
    void pass(milliseconds time) {
        // The wheel runs what fell due in the order of its time.
        for (; time > seconds{1}; time -= seconds{1}) step(seconds{1});
        step(time);
    }
    void step(milliseconds time) {
        clock.advance(time);
        turn();
    }

    /// Of the budget of 160 MiB.
    void memory_used_is(Bytes bytes) {
        resident = bytes;
        budget.sample(clock.steady());
        core->share_memory();
    }

    // Clients.
    Identity identity(const std::string& member) {
        auth::Claims claims;
        claims.member = MemberId::trusted(member);
        claims.nickname = member;
        claims.expires = clock.wall() + std::chrono::hours{1};
        claims.issued_at = clock.wall();
        return {claims, auth::sha256_hex(member)};
    }
    Client& open(const std::string& member = "u-1", auth::Profile profile = auth::Profile::kGame) {
        clients.push_back(std::make_unique<Client>());
        Client& client = *clients.back();
        auto who = member.empty() ? std::nullopt : std::optional{identity(member)};
        client.session = std::make_shared<StompSession>(*core, profile, std::move(who), std::nullopt, "test");
        client.session->on_open(client);
        return client;
    }
    Client& connect(const std::string& member = "u-1", const std::string& headers = {},
                    auth::Profile profile = auth::Profile::kGame) {
        Client& client = open(member, profile);
        say(client, "CONNECT\naccept-version:1.2\n" + headers + "\n");
        EXPECT_EQ(client.count("CONNECTED\n"), 1U) << client.text;
        client.heard();
        return client;
    }
    wire::Flow feed(Client& client, std::string frame) {
        frame += '\0';
        return client.session->on_message(frame);
    }
    void say(Client& client, std::string frame) {
        feed(client, std::move(frame));
        turn();
    }
    static std::string talk(const std::string& content, const std::string& headers = {}) {
        return "SEND\ndestination:/pub/chat/send\n" + headers +
               "\n{\"type\":\"TALK\",\"roomId\":\"r-1\",\"content\":\"" + content + "\"}";
    }
    static std::string subscribe(const std::string& id, const std::string& headers = {}) {
        return "SUBSCRIBE\nid:" + id + "\ndestination:/sub/chat/room/r-1\n" + headers + "\n";
    }
    void hear_errors(Client& client) { say(client, "SUBSCRIBE\nid:e\ndestination:/user/queue/errors\n\n"); }
    /// `count` messages stored and announced.
    void store(int count, const std::string& content = "x") {
        for (int i = 0; i < count; ++i) {
            Draft draft;
            draft.sender = MemberId::trusted("u-9");
            draft.content = content;
            bus.announce(std::vector<MessageRef>{log.inner.put(RoomId::trusted("r-1"), std::move(draft))});
        }
        turn();
    }

    static Result<auth::TokenKeys> make_keys() {
        auth::TokenOptions with;
        with.secret = "0123456789abcdef0123456789abcdef";
        return auth::TokenKeys::load(with);
    }

    TempDir dir;
    ManualClock clock;
    Options options;
    auth::TokenGuard::Options guard_options;
    rt::Loop loop{0, clock};
    rt::Runtime runtime{0, clock};
    rt::WorkPool pool{"test", 0, 10'000};
    SlowLog log;
    OneCoreBus bus{loop};
    room::Presence presence{seconds{15}};
    auth::TokenKeys keys = std::move(*make_keys());
    cache::MemoryCache cache{clock};
    auth::Tickets tickets{cache, clock};
    auth::RateLimits rates{{.enabled = false}};
    auth::Passwords passwords{{.memory_kib = 64, .passes = 1}};
    Bytes resident{0};
    MemoryBudget budget{160_MiB, {[this] { return resident; }, [] {}}};
    metrics::Registry metrics;
    Counters counters{metrics};
    std::unique_ptr<store::EmbeddedDirectory> directory;
    std::unique_ptr<auth::TokenGuard> guard;
    std::unique_ptr<Services> services;
    std::unique_ptr<Core> core;
    std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace parley::gateway::testing
