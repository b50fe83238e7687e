#include "base/logger.h"
#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RouterTest : public LiveTest {
protected:
    std::string answer_to(const std::string& request) { return heard(send(request + "\r\nHost: localhost\r\n\r\n")); }
};

TEST_F(RouterTest, ReadySaysWhenToComeBackWhereItIsNot) {
    services->readiness = [] { return Services::Readiness{false, "{}", Code::kDraining}; };
    const std::string draining = answer_to("GET /ready HTTP/1.1");
    EXPECT_EQ(status(draining), 503);
    EXPECT_EQ(field(draining, "Retry-After"), "2");
    services->readiness = [] { return Services::Readiness{true, "{}"}; };
    EXPECT_EQ(field(answer_to("GET /ready HTTP/1.1"), "Retry-After"), "");
}

TEST_F(RouterTest, AMethodThatIsNotTakenIsRefusedInWords) {
    for (const std::string path : {"/health", "/metrics", "/"}) {
        const std::string answer = answer_to("DELETE " + path + " HTTP/1.1");
        EXPECT_EQ(status(answer), 405) << path;
        EXPECT_EQ(field(answer, "Allow"), "GET, HEAD") << path;
        EXPECT_THAT(body(answer), HasSubstr(R"("code":"METHOD_NOT_ALLOWED")")) << path;
    }
}

TEST_F(RouterTest, AnUnknownPathBelowV1IsRefusedInTheEnvelope) {
    const std::string answer = answer_to("GET /v1/nothing HTTP/1.1");
    EXPECT_EQ(status(answer), 404);
    EXPECT_THAT(body(answer), HasSubstr(R"("resultCode":"404)"));
}

TEST_F(RouterTest, ATokenMayStandBehindSeveralSpaces) {
    EXPECT_EQ(status(answer_to("GET /api/rooms HTTP/1.1\r\nAuthorization: Bearer   " + token("u-1"))), 200);
    EXPECT_EQ(status(answer_to("GET /api/rooms HTTP/1.1\r\nAuthorization: Bearer    ")), 401);
}

TEST_F(RouterTest, AStormDoesNotPassTheLimitOfSessionsWhileItIsJudged) {
    options.max_sessions = 2;
    options.require_registered = true;
    store::Account bob;
    bob.id = MemberId::trusted("bob");
    bob.name = "bob";
    bob.nickname = "Bob";
    ASSERT_TRUE(directory->add_account(bob));
    const std::string upgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
    for (const std::string path : {"/api/rooms/r-1/stream", "/api/notifications/stream", "/ws/direct?receiverId=bob",
                                   "/api/messages/longpoll?roomId=r-1&after=0"}) {
        for (int i = 0; i < 5; ++i) begin(get(path, "u-1", path.starts_with("/ws") ? upgrade : ""));
        turn();
        EXPECT_EQ(services->sessions, 2U) << path;
        EXPECT_EQ(services->entering, 0U) << path;
        std::size_t refused = 0;
        for (const auto& line : lines) refused += status(heard(*line)) == 503 ? 1U : 0U;
        EXPECT_EQ(refused, 3U) << path;
        lines.clear();
        turn();
        EXPECT_EQ(services->sessions, 0U) << path;
    }
}

TEST_F(RouterTest, WhyTheStoreFailedIsForTheOperatorAlone) {
    log.inner.is_down = true;
    const logger::Capture lines;
    const std::string answer = heard(ask("/api/rooms/r-1/messages?after=0"));
    EXPECT_EQ(status(answer), 503);
    EXPECT_THAT(body(answer), HasSubstr(R"("message":"the message store does not answer")"));
    EXPECT_THAT(body(answer), Not(HasSubstr("down")));
    pass(seconds{2});
    EXPECT_THAT(lines.text(), HasSubstr(R"("code":"CHAT_STORE_UNAVAILABLE","count":1,"member":"","why":"down")"));
}

}  // namespace
}  // namespace parley::gateway::testing
