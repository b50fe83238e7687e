#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Members at the main listener, and an operator at theirs.
class AdminTest : public LiveTest {
protected:
    AdminTest() { options.admin_token = "secret"; }
    void SetUp() override {
        LiveTest::SetUp();
        services->readiness = [] { return Services::Readiness{true, "{}"}; };
        guard->on_revoked([this](const auth::Revocation& revocation) {
            using Kind = bus::Notice::Kind;
            revocation.sha256_hex.empty()
                ? bus.notify({Kind::kMemberRevoked, revocation.member.str(), {}, revocation.before})
                : bus.notify({Kind::kTokenRevoked, revocation.sha256_hex, {}, {}});
        });
    }
    std::string operators(const std::string& request, const std::string& body_text = {}) {
        at = &operators_door;
        const std::string answer =
            heard(send(request + "\r\nContent-Length: " + std::to_string(body_text.size()) + "\r\n\r\n" + body_text));
        at = &door;
        return answer;
    }
    std::string order(const std::string& what, const std::string& json) {
        return operators("POST /admin/api/" + what + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret",
                         json);
    }
    Line& stream(const std::string& text) {
        Line& line = ask("/api/notifications/stream", "", "Authorization: Bearer " + text + "\r\n");
        heard(line);
        return line;
    }
    void make_room(const std::string& id, store::Visibility visibility, const std::string& owner = {}) {
        store::RoomInfo room;
        room.id = RoomId::trusted(id);
        room.visibility = visibility;
        if (!owner.empty()) room.owner = MemberId::trusted(owner);
        ASSERT_TRUE(directory->add_room(room, owner));
    }
    [[nodiscard]] RoomSeq head(const std::string& room) { return log.inner.at(RoomId::trusted(room)).head; }

    const Door operators_door{.at = {"127.0.0.1", 9090}, .for_operators = true};
};

TEST_F(AdminTest, WhoOnlyWatchesNeedsNoTokenAndWhoOrdersDoes) {
    for (const std::string path : {"/health", "/ready", "/metrics"}) {
        EXPECT_EQ(status(operators("GET " + path + " HTTP/1.1\r\nHost: localhost")), 200) << path;
    }
    for (const std::string path : {"/admin/api/kick", "/admin/api/revoke", "/admin/api/broadcast", "/admin/api/x"}) {
        EXPECT_EQ(status(operators("POST " + path + " HTTP/1.1\r\nHost: localhost", "{}")), 401) << path;
        EXPECT_EQ(
            status(operators("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secreT", "{}")),
            401)
            << path;
    }
    EXPECT_EQ(status(operators("GET /nothing HTTP/1.1\r\nHost: localhost")), 404);
    EXPECT_EQ(status(order("x", "{}")), 404);
    EXPECT_THAT(operators("GET /metrics HTTP/1.1\r\nHost: elsewhere.example"), HasSubstr("ORIGIN_FORBIDDEN"));
}

TEST_F(AdminTest, ARevokedTokenEndsWhatLivesByItAndNoOther) {
    const std::string one = token("u-1");
    clock.advance(milliseconds{1});
    const std::string other = token("u-1");
    Line& ends = stream(one);
    Line& stays = stream(other);
    const std::string answer = order("revoke", R"({"token":")" + one + "\"}");
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(body(answer), R"({"memberId":"u-1","sha256":")" + auth::sha256_hex(one) + "\"}");
    EXPECT_THAT(heard(ends), HasSubstr("event: expired"));
    EXPECT_THAT(heard(stays), IsEmpty());
    EXPECT_EQ(status(heard(ask("/api/rooms", "", "Authorization: Bearer " + one + "\r\n"))), 401);
    EXPECT_EQ(status(heard(ask("/api/rooms", "", "Authorization: Bearer " + other + "\r\n"))), 200);
}

TEST_F(AdminTest, AMembersTokensUntilNowAreRevokedAndLaterOnesHold) {
    for (const std::string what : {"revoke", "kick"}) {
        const std::string before = token("u-1");
        Line& ends = stream(before);
        Line& stays = stream(token("u-2"));
        clock.advance(milliseconds{1});
        const std::string answer = order(what, R"({"memberId":"u-1"})");
        EXPECT_THAT(body(answer), HasSubstr(R"({"memberId":"u-1","revokedBefore":")")) << what;
        EXPECT_THAT(heard(ends), HasSubstr("event: expired")) << what;
        EXPECT_THAT(heard(stays), IsEmpty()) << what;
        EXPECT_EQ(status(heard(ask("/api/rooms", "", "Authorization: Bearer " + before + "\r\n"))), 401) << what;
        EXPECT_EQ(status(heard(ask("/api/rooms"))), 200) << what;
    }
}

TEST_F(AdminTest, AKickEndsTheMembersRightInTheRoomOnce) {
    make_room("r-1", store::Visibility::kPublic);
    Client& client = connect("u-1");
    hear_errors(client);
    say(client, subscribe("s"));
    client.heard();
    const std::string kick = R"({"roomId":"r-1","memberId":"u-1"})";
    const std::string answer = order("kick", kick);
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(body(answer), R"({"roomId":"r-1","memberId":"u-1","standing":"kicked"})");
    EXPECT_THAT(client.heard(), HasSubstr("CHAT_FORBIDDEN"));
    EXPECT_EQ(client.closed, 0) << "out of the room, not off the service";
    EXPECT_EQ(head("r-1").value, 1U);
    EXPECT_EQ(status(heard(ask("/api/rooms/r-1/messages"))), 403);
    EXPECT_EQ(status(order("kick", kick)), 200);
    EXPECT_EQ(head("r-1").value, 1U) << "nothing was left to do";
}

TEST_F(AdminTest, WhoCannotBeKickedIsNot) {
    make_room("r-own", store::Visibility::kPrivate, "u-9");
    EXPECT_THAT(order("kick", R"({"roomId":"r-own","memberId":"u-9"})"), HasSubstr("CHAT_FORBIDDEN"));
    EXPECT_THAT(order("kick", R"({"roomId":"r-own","memberId":"u-1"})"), HasSubstr("CHAT_MEMBER_NOT_FOUND"));
    EXPECT_THAT(order("kick", R"({"roomId":"none","memberId":"u-1"})"), HasSubstr("CHAT_ROOM_NOT_FOUND"));
    EXPECT_THAT(order("kick", R"({"roomId":"~dm:1","memberId":"u-1"})"), HasSubstr("CHAT_ROOM_NOT_FOUND"));
    EXPECT_EQ(head("r-own").value, 0U);
}

TEST_F(AdminTest, WhatMakesNoSenseIsRefusedInWords) {
    for (const char* what : {"revoke", "kick"}) {
        for (const char* json : {"", "{}", "[]", R"({"memberId":7})", R"({"memberId":""})", R"({"memberId":"a b"})"}) {
            const std::string answer = order(what, json);
            EXPECT_EQ(status(answer), 400) << what << json;
            EXPECT_THAT(answer, HasSubstr("CHAT_INVALID_PAYLOAD")) << what << json;
        }
        EXPECT_EQ(status(operators("GET /admin/api/" + std::string{what} +
                                   " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret")),
                  405);
    }
    const std::string answer = order("revoke", R"({"token":"x.y.z"})");
    EXPECT_EQ(status(answer), 400);
    EXPECT_THAT(answer, Not(HasSubstr("x.y.z")));
}

TEST_F(AdminTest, ABroadcastOfAKoreanNameReachesTheStreams) {
    Line& line = stream(token("u-1"));
    EXPECT_EQ(status(order("broadcast", R"({"event":"점검 안내","data":"곧"})")), 201);
    EXPECT_THAT(heard(line), HasSubstr("event: 점검 안내\ndata: 곧\n"));
    for (const char* name : {"", "connected", "expired", R"(a\nb)", R"(a\u0000b)"}) {
        EXPECT_EQ(status(order("broadcast", std::string{R"({"data":1,"event":")"} + name + "\"}")), 400) << name;
    }
}

TEST_F(AdminTest, WhatIsUnderWayIsCountedUntilItIsAnswered) {
    log.held = true;
    EXPECT_EQ(services->calls, 0U);
    const std::string say_it = R"({"content":"x"})";
    Line& post = send("POST /api/rooms/r-1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                      token("u-1") + "\r\nContent-Length: " + std::to_string(say_it.size()) + "\r\n\r\n" + say_it);
    EXPECT_EQ(services->calls, 1U);
    EXPECT_THAT(order("broadcast", R"({"data":1})"), IsEmpty());
    EXPECT_EQ(services->calls, 2U);
    log.held = false;
    log.store();
    turn();
    EXPECT_EQ(status(heard(post)), 201);
    EXPECT_EQ(services->calls, 0U);
    EXPECT_EQ(status(heard(stream(token("u-1")))), 0);
    EXPECT_EQ(services->calls, 0U) << "an open stream is a session, not a call";
}

}  // namespace
}  // namespace parley::gateway::testing
