#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Tokens that somebody else revokes: nobody tells this server.
class TokenWatchTest : public LiveTest {
protected:
    void blacklist(const std::string& hash) {
        cache.revoke(hash, clock.wall() + std::chrono::hours{1}, [](const auto&) {});
    }
    /// A second in steps, as the loop of a server has it.
    void some_seconds(int count) {
        for (int i = 0; i < 50 * count; ++i) step(milliseconds{20});
    }
};

class SharedCacheTest : public TokenWatchTest {
protected:
    SharedCacheTest() { guard_options.cache_is_shared = true; }
};

class SharedDirectoryTest : public TokenWatchTest {
protected:
    SharedDirectoryTest() { guard_options.directory_is_shared = true; }
};

TEST_F(SharedCacheTest, ATokenOnTheBlacklistEndsItsSessionsOfEveryTransportWithinFiveSeconds) {
    Client& stomp = connect("u-1");
    Client& other = connect("u-2");
    const std::string text = token("u-1");
    const std::string fields = "Authorization: Bearer " + text + "\r\n";
    Line& stream = ask("/api/rooms/r-1/stream", "", fields);
    Line& poll = ask("/api/messages/longpoll?timeout=50000&roomId=r-1", "", fields);
    Line& direct = ask("/ws/direct?receiverId=u-2", "",
                       fields +
                           "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n");
    some_seconds(12);
    for (Line* line : {&stream, &poll, &direct}) heard(*line);
    EXPECT_EQ(core->sessions(), 5U);
    blacklist(auth::sha256_hex("u-1"));
    blacklist(auth::sha256_hex(text));
    some_seconds(4);
    EXPECT_EQ(stomp.closed, 4401);
    EXPECT_THAT(stomp.text, HasSubstr("AUTH_EXPIRED"));
    EXPECT_THAT(heard(stream), HasSubstr("event: expired"));
    EXPECT_EQ(status(heard(poll)), 401);
    EXPECT_THAT(heard(direct), HasSubstr("AUTH_EXPIRED"));
    EXPECT_EQ(other.closed, 0);
    EXPECT_EQ(core->sessions(), 1U);
}

TEST_F(SharedCacheTest, AFreshTokenOnTheOpenConnectionIsTheOneThatCounts) {
    Client& client = connect("u-1");
    const std::string fresh = token("u-1");
    say(client, "SEND\ndestination:/pub/auth/refresh\ntoken:" + fresh + "\n\n");
    blacklist(auth::sha256_hex("u-1"));
    some_seconds(6);
    EXPECT_EQ(client.closed, 0);
    blacklist(auth::sha256_hex(fresh));
    some_seconds(4);
    EXPECT_EQ(client.closed, 4401);
}

TEST_F(SharedCacheTest, OfManySessionsEachIsAskedAfter) {
    constexpr int kMany = 700;
    for (int i = 0; i < kMany; ++i) connect("u-" + std::to_string(i));
    some_seconds(5);
    for (const int i : {0, 350, kMany - 1}) blacklist(auth::sha256_hex("u-" + std::to_string(i)));
    some_seconds(4);
    for (int i = 0; i < kMany; ++i) {
        const bool meant = i == 0 || i == 350 || i == kMany - 1;
        EXPECT_EQ(clients[static_cast<std::size_t>(i)]->closed, meant ? 4401 : 0) << i;
    }
}

TEST_F(SharedDirectoryTest, WhatAnotherServerRevokedIsFoundWithinFiveSeconds) {
    Client& by_token = connect("u-1");
    Client& by_member = connect("u-2");
    Client& other = connect("u-3");
    some_seconds(10);
    ASSERT_TRUE(directory->revoke_token(auth::sha256_hex("u-1"), clock.wall() + std::chrono::hours{1}));
    ASSERT_TRUE(directory->set_revoked_before(MemberId::trusted("u-2"), clock.wall()));
    some_seconds(4);
    EXPECT_EQ(by_token.closed, 4401);
    EXPECT_EQ(by_member.closed, 4401);
    EXPECT_EQ(other.closed, 0);
}

TEST_F(TokenWatchTest, WhereEveryRevocationIsMadeHereNobodyIsAskedAfter) {
    Client& client = connect("u-1");
    some_seconds(6);
    blacklist(auth::sha256_hex("u-1"));  // which no server does without its guard
    some_seconds(6);
    EXPECT_EQ(client.closed, 0);
}

}  // namespace
}  // namespace parley::gateway::testing
