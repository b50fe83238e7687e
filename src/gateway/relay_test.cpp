#include "gateway/relay.h"

#include "../tests/contract/silent_server.h"
#include "base/logger.h"
#include "gateway/live_fixture.h"
#include "gateway/session_owners.h"
#include "rt/connect.h"

namespace parley::gateway {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kOne = 1;
constexpr std::uint64_t kOther = 2;
const std::string kPath = "/sockjs/echo/000/s1";

/// Two servers of a fleet on one loop: clients ask `core`, the session is at `other`.
class Relays : public testing::LiveTest {
protected:
    void SetUp() override {
        options.test_endpoints = true;
        options.send_buffer = 64_KiB;
        options.hsts = seconds{100};
        fleet_door.at = *rt::claim({.host = "127.0.0.1"});
        other_place.self.at = fleet_door.at;
        GatewayTest::SetUp();
        core.reset();
        services->fleet = &place;
        core = std::make_unique<Core>(loop, *services);
        bus.listener = core.get();
        other_services.reset(new Services{runtime, log, *directory, bus, presence, keys, *guard, tickets, strict,
                                          passwords, pool, pool, metrics, counters, options});
        other_services->topic_hubs.resize(1);
        other_services->cores.resize(1);
        other_services->fleet = &other_place;
        other = std::make_unique<Core>(loop, *other_services);
        ASSERT_TRUE(other->listen(fleet_door, rt::Listener::Port::kShared));
    }
    void TearDown() override {
        lines.clear();
        other.reset();
        LiveTest::TearDown();
    }
    /// What the network does takes its time.
    template <class Done>
    void until(Done done) {
        const auto end = std::chrono::steady_clock::now() + seconds{30};
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            turn();
        }
    }
    static std::string post(const std::string& path, const std::string& body = {}, const std::string& fields = {}) {
        return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    Line& at_other(const std::string& request) {
        std::swap(core, other);
        Line& line = send(request);
        std::swap(core, other);
        return line;
    }
    /// All of an answer after which the connection ends.
    std::string answer(Line& line) {
        std::string out;
        until([&] {
            out += heard(line);
            return line.ended;
        });
        return out;
    }
    std::string relayed(const std::string& request) { return answer(send(request)); }
    void open_at_other() { ASSERT_THAT(heard(at_other(post(kPath + "/xhr"))), HasSubstr("\r\no\n\r\n")); }
    /// The session is another server's at that place.
    void give_to(const Owner& owner) {
        cache.put("sockjs:" + auth::sha256_hex("/sockjs/echo/s1"), owner_text(owner), clock.wall() + seconds{60},
                  [](const Result<>&) {});
    }

    Door fleet_door{.for_servers = true};
    FleetPlace place{{kOne, {.host = "127.0.0.1", .port = 1}}, cache, RelayWords{{"key"}}};
    FleetPlace other_place{{kOther, {}}, cache, RelayWords{{"key"}}};
    auth::RateLimits strict{{.handshake_address = {.count = 1, .per = seconds{1000}}}};
    std::unique_ptr<Services> other_services;
    std::unique_ptr<Core> other;
};

TEST_F(Relays, MessagesGoBothWaysThroughAServerThatDoesNotHaveTheSession) {
    open_at_other();
    const auto sent = relayed(post(kPath + "/xhr_send", R"(["a","b"])"));
    EXPECT_EQ(status(sent), 204);
    EXPECT_EQ(field(sent, "Connection"), "close");
    const auto got = relayed(post(kPath + "/xhr"));
    EXPECT_EQ(status(got), 200);
    EXPECT_THAT(got, HasSubstr("a[\"a\",\"b\"]\n"));
    EXPECT_EQ(counters.relayed.value(), 2U);
}

TEST_F(Relays, AStreamIsPassedOnAsItComes) {
    open_at_other();
    Line& stream = send(post(kPath + "/xhr_streaming"));
    std::string got;
    until([&] { return (got += heard(stream)).find("hhhh\n") != std::string::npos; });
    EXPECT_EQ(field(got, "Transfer-Encoding"), "chunked");
    for (const std::string text : {"first", "second"}) {
        at_other(post(kPath + "/xhr_send", "[\"" + text + "\"]"));
        until([&] { return (got += heard(stream)).find("a[\"" + text + "\"]\n") != std::string::npos; });
    }
    EXPECT_FALSE(stream.ended);
}

TEST_F(Relays, AClientThatGoesEndsItsSessionAtTheOtherServer) {
    open_at_other();
    Line& stream = send(post(kPath + "/xhr_streaming"));
    std::string got;
    until([&] { return !(got += heard(stream)).empty(); });
    stream.hang_up();
    until([&] { return status(heard(at_other(post(kPath + "/xhr_send", R"(["x"])")))) == 404; });
    EXPECT_THAT(heard(at_other(post(kPath + "/xhr"))), HasSubstr("c[1002,"));
}

TEST_F(Relays, AServerThatGoesBreaksTheAnswerOff) {
    open_at_other();
    Line& stream = send(post(kPath + "/xhr_streaming"));
    std::string got;
    until([&] { return !(got += heard(stream)).empty(); });
    other->connections().close_all();
    got += answer(stream);
    EXPECT_THAT(got, Not(HasSubstr("\r\n0\r\n\r\n"))) << "no complete answer";
}

TEST_F(Relays, ASessionOfAServerThatCannotBeReachedIsOverAndAnotherOneBegins) {
    other->stop_listening();
    for (const std::string& request :
         {post(kPath + "/xhr_send", R"(["x"])"), post(kPath + "/xhr"), post(kPath + "/xhr_streaming"),
          std::string{"GET "} + kPath + "/eventsource HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
        give_to(other_place.self);
        Line& line = send(request);
        std::string got;
        until([&] { return !(got += heard(line)).empty(); });
        if (request.find("_send") != std::string::npos) {
            EXPECT_EQ(status(got), 404);
        } else {
            EXPECT_THAT(got, HasSubstr("c[1002,\"Connection interrupted\"]"));
        }
    }
    EXPECT_THAT(heard(send(post(kPath + "/xhr"))), HasSubstr("\r\no\n\r\n"));
}

TEST_F(Relays, AServerThatWasStartedAgainDoesNotHaveTheSession) {
    give_to({kOther + 1, fleet_door.at});
    Line& line = send(post(kPath + "/xhr"));
    std::string got;
    until([&] { return !(got += heard(line)).empty(); });
    EXPECT_THAT(got, HasSubstr("c[1002,"));
    EXPECT_EQ(counters.relayed.value(), 0U);
}

TEST_F(Relays, AServerThatSaysNothingIsGivenUpInTime) {
    contract::SilentServer silent;
    give_to({kOther, {.host = "127.0.0.1", .port = silent.port()}});
    Line& line = send(post(kPath + "/xhr_send", R"(["secret"])"));
    const int accepted = silent.accept();
    std::string heard_there(1000, '\0');
    until([&] { return ::recv(accepted, heard_there.data(), 1000, MSG_PEEK | MSG_DONTWAIT) == 32; });
    EXPECT_EQ(heard(line), "");
    pass(Relay::kReach + seconds{1});
    EXPECT_EQ(status(heard(line)), 404);
    EXPECT_EQ(::recv(accepted, heard_there.data(), 1000, 0), 32)
        << "nothing of the request for who has not proved itself";
}

TEST_F(Relays, AServerWithAnotherSecretGetsNoRequest) {
    open_at_other();
    const logger::Capture log_lines;
    other_place.words = RelayWords{{"another"}};
    Line& line = send(post(kPath + "/xhr_send", R"(["x"])"));
    std::string got;
    until([&] { return !(got += heard(line)).empty(); });
    EXPECT_EQ(status(got), 404);
    pass(seconds{2});
    EXPECT_THAT(log_lines.text(), HasSubstr("not signed with this fleet's secret"));
}

TEST_F(Relays, AServerThatTakesNoMoreConnectionsIsNamedForThat) {
    open_at_other();
    const logger::Capture log_lines;
    options.max_connections = other->connections().count();
    Line& line = send(post(kPath + "/xhr_send", R"(["x"])"));
    std::string got;
    until([&] { return !(got += heard(line)).empty(); });
    EXPECT_EQ(status(got), 404);
    pass(seconds{2});
    EXPECT_THAT(log_lines.text(), AllOf(HasSubstr("as many connections as it may have"), Not(HasSubstr("secret"))));
}

TEST_F(Relays, AClientThatDoesNotReadStopsTheOwnerAndLosesNothing) {
    open_at_other();
    const std::string piece(100'000, 'x');
    constexpr int kCount = 40;
    for (int i = 0; i < kCount; ++i) {
        ASSERT_EQ(status(heard(at_other(post(kPath + "/xhr_send", "[\"" + std::to_string(i) + piece + "\"]")))), 204);
    }
    Line& line = send(post(kPath + "/xhr"));
    for (int i = 0; i < 2000; ++i) turn();
    EXPECT_GT(core->connections().queued_bytes(), 0U);
    EXPECT_LT(core->connections().queued_bytes(), 64U * 1024 + 4U * 64 * 1024);
    const std::string got = answer(line);
    EXPECT_GT(got.size(), kCount * piece.size());
    EXPECT_THAT(got, EndsWith("x\"]\n\r\n0\r\n\r\n"));
    for (int i = 0; i < kCount; ++i) EXPECT_NE(got.find("\"" + std::to_string(i) + "x"), std::string::npos) << i;
}

/// What an attacker who reaches fleet.listen can say to it.
class RelayGateTest : public Relays {
protected:
    void connect() {
        fd = *rt::begin_connect(fleet_door.at);
        nonces.asking = RelayWords::make_nonce();
    }
    void TearDown() override {
        if (fd >= 0) ::close(fd);
        Relays::TearDown();
    }
    void write(std::string_view bytes) {
        until([&] {
            const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
            return bytes.empty() || (n < 0 && errno != EAGAIN && errno != ENOTCONN);
        });
    }
    /// Until so many bytes have come, or the end.
    std::string read(std::size_t size = SIZE_MAX) {
        std::string out;
        until([&] {
            std::array<char, 65536> buffer{};
            const ssize_t n = ::recv(fd, buffer.data(), std::min(buffer.size(), size - out.size()), MSG_DONTWAIT);
            if (n > 0) out.append(buffer.data(), static_cast<std::size_t>(n));
            return out.size() == size || n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN);
        });
        return out;
    }
    void greet() {
        connect();
        write(RelayWords::greeting(nonces.asking));
        const auto proof = place.words.read_proof(read(RelayWords::kProof), nonces.asking);
        ASSERT_TRUE(proof.has_value());
        nonces.owner = proof->nonce;
    }
    std::string order(const RelayedClient& client, const std::string& request) {
        return place.words.order(client, request, nonces);
    }
    static std::string open_session(const std::string& path) {
        return "POST " + path + "/xhr HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    }
    std::uint64_t refused() { return counters.relays_refused.value(); }

    RelayWords::Nonces nonces;
    int fd = -1;
};

TEST_F(RelayGateTest, ARequestIsServedAsItsClientsOwn) {
    greet();
    write(order({"198.51.100.7", true}, open_session(kPath)));
    const std::string got = read();
    EXPECT_THAT(got, AllOf(HasSubstr("\r\no\n\r\n"), HasSubstr("Strict-Transport-Security")));
    EXPECT_EQ(refused(), 0U);
    ::close(fd);
    // The game profile judges who opens a session; the rate counts by the client's address.
    for (const auto& [address, expected] :
         {std::pair{"198.51.100.7", 400}, {"198.51.100.7", 429}, {"198.51.100.8", 400}}) {
        greet();
        write(order({address, false}, open_session("/ws-chat/000/s1")));
        EXPECT_EQ(status(read()), expected) << address;
        ::close(fd);
    }
    fd = -1;
}

TEST_F(RelayGateTest, WhatWasBroughtHereIsNotSentOn) {
    for (const char* what : {"/xhr", "/xhr_send"}) {
        give_to({kOne, fleet_door.at});
        greet();
        write(order({"198.51.100.7", false}, post(kPath + what, R"(["x"])", "Connection: close\r\n")));
        const std::string got = read();
        EXPECT_TRUE(status(got) == 404 || got.find("c[1002,") != std::string::npos) << got;
        ::close(fd);
    }
    fd = -1;
    EXPECT_EQ(counters.relayed.value(), 0U);
}

TEST_F(RelayGateTest, WhatIsNotSignedIsClosedWithoutAnAnswer) {
    connect();
    write(open_session(kPath));
    EXPECT_EQ(read(), "");
    ::close(fd);
    for (const std::string key : {"another", "parley relay"}) {
        greet();
        write(RelayWords{{key}}.order({"198.51.100.7", false}, open_session(kPath), nonces));
        EXPECT_EQ(read(), "");
        ::close(fd);
    }
    fd = -1;
    EXPECT_EQ(refused(), 3U);
}

TEST_F(RelayGateTest, WhatWasOverheardIsWorthNothing) {
    greet();
    const std::string heard_once = order({"198.51.100.7", false}, open_session(kPath));
    const std::string asking = nonces.asking;
    write(heard_once);
    EXPECT_THAT(read(), HasSubstr("200 OK"));
    ::close(fd);
    connect();
    write(RelayWords::greeting(asking));
    EXPECT_EQ(read(RelayWords::kProof).size(), RelayWords::kProof);
    write(heard_once);
    EXPECT_EQ(read(), "");
    EXPECT_EQ(refused(), 1U);
}

TEST_F(RelayGateTest, WhoBeginsAndSaysNoMoreIsClosedAndTheLogNamesThem) {
    const logger::Capture log_lines;
    greet();
    write("\x40");
    pass(options.handshake_time + seconds{1});
    EXPECT_EQ(read(), "");
    EXPECT_EQ(refused(), 1U);
    pass(seconds{2});
    EXPECT_THAT(log_lines.text(), AllOf(HasSubstr("fleet.listen, from 127.0.0.1"), HasSubstr("no request in time")));
}

TEST(RelayedBytes, AreTheRequestWithoutWhatIsOfItsConnection) {
    wire::HttpRequestParser parser;
    const std::string sent =
        "POST /ws-chat/0/s/xhr_send?token=t HTTP/1.1\r\nHost: chat.example\r\nConnection: keep-alive, X-One\r\n"
        "Transfer-Encoding: chunked\r\nOrigin: https://chat.example\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n"
        "3\r\n[\"a\r\n2\r\n\"]\r\n0\r\n\r\n";
    ASSERT_EQ(parser.feed(sent).step, wire::HttpStep::kHead);
    ASSERT_EQ(parser.feed(sent.substr(sent.find("3\r\n["))).step, wire::HttpStep::kDone);
    EXPECT_EQ(relayed_bytes(parser.take_request()),
              "POST /ws-chat/0/s/xhr_send?token=t HTTP/1.1\r\nHost: chat.example\r\nOrigin: https://chat.example\r\n"
              "Cookie: a=b\r\nCookie: c=d\r\nConnection: close\r\nContent-Length: 5\r\n\r\n[\"a\"]");
}

}  // namespace
}  // namespace parley::gateway
