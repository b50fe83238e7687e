#include "gateway/handshake.h"

#include "gateway/gateway_fixture.h"
#include "gateway/socket_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;

wire::HttpRequest request(const std::string& host, std::vector<std::pair<std::string, std::string>> fields = {},
                          const std::string& query = {}) {
    wire::HttpRequest out;
    out.method = "GET";
    out.host = host;
    out.query = query;
    for (const auto& [name, value] : fields) out.headers.add(name, value);
    return out;
}

TEST(Origin, TheOwnHostAndNoOriginPassAndOthersDoNot) {
    const Options options;
    EXPECT_TRUE(origin_allowed(options, request("chat.example")));
    EXPECT_TRUE(origin_allowed(options, request("chat.example", {{"Origin", "https://chat.example"}})));
    EXPECT_TRUE(origin_allowed(options, request("chat.example:8080", {{"Origin", "http://CHAT.example:8080"}})));
    for (const std::string origin :
         {"https://evil.example", "https://chat.example.evil", "https://chat.example:81", "null", "chat.example", ""}) {
        EXPECT_FALSE(origin_allowed(options, request("chat.example", {{"Origin", origin}}))) << origin;
    }
}

TEST(Origin, ConfiguredPatternsPassAndAStarMustBeWritten) {
    Options options;
    options.origins = {"https://app.example", "https://*.example.org"};
    const auto passes = [&](const std::string& origin) {
        return origin_allowed(options, request("here", {{"Origin", origin}}));
    };
    EXPECT_TRUE(passes("https://app.example"));
    EXPECT_TRUE(passes("https://a.b.example.org"));
    EXPECT_FALSE(passes("http://app.example"));
    EXPECT_FALSE(passes("https://example.org"));
    EXPECT_FALSE(passes("https://xexample.org"));
    EXPECT_FALSE(passes("https://a.example.org.evil"));
    options.origins = {"*"};
    EXPECT_TRUE(passes("null"));
}

TEST(Host, ThatAConfiguredOriginHasPassesWhateverItsPort) {
    Options options;
    EXPECT_FALSE(host_configured(options, request("chat.example")));
    options.origins = {"https://chat.example", "https://*.example.org:8443"};
    for (const char* host : {"chat.example", "CHAT.example:8080", "a.example.org", "a.example.org:1"}) {
        EXPECT_TRUE(host_configured(options, request(host))) << host;
    }
    for (const char* host : {"evil.chat.example", "chat.example.evil", "example.org", "", "https"}) {
        EXPECT_FALSE(host_configured(options, request(host))) << host;
    }
    options.origins = {"*"};
    EXPECT_TRUE(host_configured(options, request("any.example")));
}

TEST(Host, OnLoopbackNamesThisMachine) {
    for (const std::string host :
         {"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "chat.localhost:1", ""}) {
        EXPECT_TRUE(host_is_this_machine(request(host))) << host;
    }
    for (const std::string host : {"evil.example", "127.evil.example", "127.0.0.1.evil.example:80", "localhost.evil",
                                   "10.0.0.1", "[::2]", ".localhost"}) {
        EXPECT_FALSE(host_is_this_machine(request(host))) << host;
    }
}

TEST(RequestToken, ComesFromQueryThenHeaderThenCookie) {
    const std::pair<std::string, std::string> header{"Authorization", "bearer H"};
    const std::pair<std::string, std::string> cookie{"Cookie", "a=b; parley_token=C"};
    EXPECT_EQ(request_token(request("h", {header, cookie}, "token=Q")), "Q");
    EXPECT_EQ(request_token(request("h", {header, cookie}, "token=%20")), "H");
    EXPECT_EQ(request_token(request("h", {cookie})), "C");
    EXPECT_EQ(request_token(request("h", {{"Authorization", "Basic QQ"}})), "");
}

TEST(RequestToken, ACookieCountsOnlyForSameOriginGets) {
    const std::pair<std::string, std::string> cookie{"Cookie", "parley_token=C"};
    EXPECT_EQ(request_token(request("h", {cookie, {"Origin", "https://h"}, {"Sec-Fetch-Site", "same-origin"}})), "C");
    EXPECT_EQ(request_token(request("h", {cookie, {"Origin", "https://evil"}})), "");
    EXPECT_EQ(request_token(request("h", {cookie, {"Sec-Fetch-Site", "cross-site"}})), "");
    EXPECT_EQ(request_token(request("h", {cookie, {"Sec-Fetch-Site", "same-site"}})), "");
    auto post = request("h", {cookie});
    post.method = "POST";
    EXPECT_EQ(request_token(post), "");
}

/// Handshakes of the game profile, judged by a whole core.
class HandshakeTest : public testing::GatewayTest {
protected:
    /// `200`, or status and code of the refusal.
    std::string judge(const std::string& query, const std::string& origin = {}) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        HttpSession::Service service;
        service.date = [] { return std::string_view{}; };
        const HttpSession::Options http;
        const Door door;
        auto handler = std::make_unique<HttpSession>(loop, service, http, Arrival{&door});
        HttpSession& session = *handler;
        rt::Connection& connection = core->connections().open(ends[0], std::move(handler));
        auto asked = request("localhost", {}, query);
        if (!origin.empty()) asked.headers.add("Origin", origin);
        const auto exchange = std::make_shared<Exchange>(session, connection, asked);
        std::string out = "nothing";
        judge_handshake(*core, exchange, auth::Profile::kGame,
                        [&](std::optional<HandshakeRefusal> refusal, std::optional<Identity> who) {
                            out = refusal
                                      ? std::to_string(refusal->status) + ' ' + std::string{name(refusal->error.code)}
                                      : "200 " + who->claims.member.str();
                        });
        turn();
        connection.abort();
        turn();
        ::close(ends[1]);
        return out;
    }
    std::string token(const std::string& member = "u-1") {
        auth::Claims claims;
        claims.member = MemberId::trusted(member);
        claims.nickname = "A";
        return *keys.sign(claims, clock.wall(), std::chrono::hours{1});
    }
};

TEST_F(HandshakeTest, TokenAndRoomAreNeeded) {
    EXPECT_EQ(judge("token=" + token() + "&roomId=r-1"), "200 u-1");
    EXPECT_THAT(judge("roomId=r-1"), HasSubstr("400 "));
    EXPECT_THAT(judge("token=%20&roomId=r-1"), HasSubstr("400 "));
    EXPECT_THAT(judge("token=" + token()), HasSubstr("400 "));
    EXPECT_THAT(judge("token=" + token() + "&roomId=%20"), HasSubstr("400 "));
    EXPECT_THAT(judge("token=" + token() + "&roomId=~dm"), HasSubstr("400 "));
    EXPECT_EQ(judge("token=none&roomId=r-1"), "401 AUTH_INVALID");
}

TEST_F(HandshakeTest, AForeignOriginADrainingAndAFullServerAreRefusedFirst) {
    EXPECT_EQ(judge("token=none&roomId=r-1", "https://evil.example").substr(0, 3), "403");
    services->draining = true;
    EXPECT_EQ(judge("token=none&roomId=r-1").substr(0, 3), "503");
    services->draining = false;
    services->sessions = options.max_sessions;
    EXPECT_EQ(judge("token=" + token() + "&roomId=r-1").substr(0, 3), "503");
    services->sessions = 0;
}

TEST_F(HandshakeTest, APrivateRoomOfOthersIsForbidden) {
    store::RoomInfo room;
    room.id = RoomId::trusted("r-private");
    room.name = "p";
    room.visibility = store::Visibility::kPrivate;
    room.owner = MemberId::trusted("u-2");
    ASSERT_TRUE(directory->add_room(room, "B"));
    EXPECT_EQ(judge("token=" + token("u-1") + "&roomId=r-private"), "403 CHAT_FORBIDDEN");
}

}  // namespace
}  // namespace parley::gateway
