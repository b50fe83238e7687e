#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;

class LongPollTest : public LiveTest {
protected:
    void SetUp() override {
        options.cursor_keys = {"a key for tests"};
        LiveTest::SetUp();
    }
    Line& long_poll(const std::string& query, const std::string& member = "u-1") {
        return ask("/api/messages/longpoll?" + query, member);
    }
    std::string poll(const std::string& query, const std::string& member = "u-1") {
        return heard(ask("/api/messages?" + query, member));
    }
    static std::string cursor(const std::string& answer) { return field(answer, "X-Parley-Cursor"); }
    /// Room and seq of each message in an answer, `r-1:1 r-1:2 `.
    static std::string places(const std::string& answer) {
        const std::string json = body(answer);
        std::string out;
        for (auto at = json.find(R"("roomId":")"); at != std::string::npos; at = json.find(R"("roomId":")", at + 1)) {
            out += json.substr(at + 10, json.find('"', at + 10) - at - 10) + ':';
            const auto seq = json.find(R"("seq":)", at) + 6;
            out += json.substr(seq, json.find(',', seq) - seq) + ' ';
        }
        return out;
    }
    void join(const std::string& room, const std::string& member, std::uint64_t since = 0) {
        store::RoomInfo info;
        info.id = RoomId::trusted(room);
        info.name = room;
        (void)directory->add_room(info, "");
        ASSERT_TRUE(
            directory->put_membership(info.id, {MemberId::trusted(member), member, store::Standing::kMember, {since}}));
    }
    void say(const std::string& room, const std::string& extra = {}) {
        Draft draft;
        draft.sender = MemberId::trusted("u-9");
        draft.content = "x";
        draft.type = extra.empty() ? MessageType::kTalk : MessageType::kSystem;
        draft.extra = extra;
        bus.announce(std::vector<MessageRef>{log.inner.put(RoomId::trusted(room), std::move(draft))});
        turn();
    }
};

TEST_F(LongPollTest, WhatIsThereIsAnsweredAtOnce) {
    store(3);
    const std::string answer = heard(long_poll("roomId=r-1&after=1"));
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(places(answer), "r-1:2 r-1:3 ");
    EXPECT_EQ(cursor(answer), "3");
    EXPECT_EQ(field(answer, "X-Parley-Epoch"), "7");
    EXPECT_EQ(field(answer, "Cache-Control"), "no-store");
}

TEST_F(LongPollTest, WhatComesLaterIsAnsweredWhenItComes) {
    store(3);
    Line& line = long_poll("roomId=r-1&after=3");
    pass(seconds{10});
    EXPECT_EQ(heard(line), "");
    store(1);
    EXPECT_EQ(places(heard(line)), "r-1:4 ");
    EXPECT_EQ(services->sessions, 0U);
}

TEST_F(LongPollTest, AtItsTimeItAnswersWithNothingAndWhereToGoOn) {
    store(2);
    Line& line = long_poll("roomId=r-1&timeout=5000");
    pass(milliseconds{4900});
    EXPECT_EQ(heard(line), "");
    pass(milliseconds{200});
    const std::string answer = heard(line);
    EXPECT_EQ(body(answer), "[]");
    EXPECT_EQ(cursor(answer), "2");
}

TEST_F(LongPollTest, ATimeoutAboveTheLongestIsTheLongest) {
    Line& line = long_poll("roomId=r-1&timeout=99999999999999999999999");
    pass(milliseconds{49'800});
    EXPECT_EQ(heard(line), "");
    pass(milliseconds{300});
    EXPECT_EQ(body(heard(line)), "[]");
}

TEST_F(LongPollTest, ATimeoutThatIsNoWholeNumberIsRefused) {
    for (const std::string timeout : {"-1", "abc", "", "1.5", "1e3", "%2B5"}) {
        EXPECT_EQ(status(heard(long_poll("roomId=r-1&timeout=" + timeout))), 400) << timeout;
    }
    EXPECT_EQ(body(heard(long_poll("roomId=r-1&timeout=0"))), "[]");
}

TEST_F(LongPollTest, WithoutAPositionOnlyWhatComesLater) {
    store(3);
    Line& line = long_poll("roomId=r-1");
    EXPECT_EQ(heard(line), "");
    store(1);
    EXPECT_EQ(places(heard(line)), "r-1:4 ");
    EXPECT_EQ(places(poll("roomId=r-1&after=0")), "r-1:1 r-1:2 r-1:3 r-1:4 ");
    EXPECT_EQ(body(poll("roomId=r-1")), "[]");
}

TEST_F(LongPollTest, APositionAheadOrOfAnotherEpochIsRefusedAndATrimmedOneSaid) {
    store(5);
    EXPECT_EQ(status(poll("roomId=r-1&after=6")), 409);
    EXPECT_EQ(status(poll("roomId=r-1&after=5&epoch=8")), 409);
    EXPECT_THAT(poll("roomId=r-1&after=6"), HasSubstr(R"("headSeq":5)"));
    log.inner.trim(RoomId::trusted("r-1"), {4});
    const std::string answer = poll("roomId=r-1&after=1");
    EXPECT_EQ(places(answer), "r-1:4 r-1:5 ");
    EXPECT_EQ(field(answer, "X-Parley-Truncated"), "HISTORY_TRUNCATED");
    EXPECT_EQ(field(answer, "X-Parley-First-Seq"), "4");
}

TEST_F(LongPollTest, APositionAheadOfALogThatIsBehindIsNotKnownToBeInvalid) {
    join("a", "u-1");
    say("a");
    say("a");
    const std::string ahead = cursor(poll(""));
    log.inner.put_back(RoomId::trusted("a"), {1});
    log.inner.is_behind = true;
    EXPECT_EQ(status(poll("roomId=a&after=2")), 503);
    EXPECT_THAT(heard(long_poll("roomId=a&after=2")), HasSubstr("CHAT_STORE_UNAVAILABLE"));
    EXPECT_EQ(status(poll("roomId=a&after=1")), 200);
    EXPECT_EQ(status(poll("after=" + ahead)), 503);
    log.inner.is_behind = false;
    EXPECT_EQ(status(poll("roomId=a&after=2")), 409);
    EXPECT_EQ(status(poll("after=" + ahead)), 409);
}

TEST_F(LongPollTest, UserIdMustBeTheTokensMember) {
    EXPECT_EQ(status(poll("roomId=r-1&userId=u-1")), 200);
    EXPECT_EQ(status(poll("roomId=r-1&userId=u-2")), 403);
    EXPECT_EQ(status(poll("userId=u-2")), 403);
    EXPECT_EQ(status(heard(ask("/api/messages?roomId=r-1", ""))), 401);
}

TEST_F(LongPollTest, TwoPollsOfOneMemberBothGetTheirAnswer) {
    Line& first = long_poll("roomId=r-1");
    Line& second = long_poll("roomId=r-1");
    store(1);
    EXPECT_EQ(places(heard(first)), "r-1:1 ");
    EXPECT_EQ(places(heard(second)), "r-1:1 ");
}

TEST_F(LongPollTest, AllRoomsOfAMemberAndNoOthers) {
    join("a", "u-1");
    join("b", "u-1");
    join("c", "u-2");
    Line& line = long_poll("timeout=30000");
    say("c");
    EXPECT_EQ(heard(line), "");
    say("b");
    const std::string answer = heard(line);
    EXPECT_EQ(places(answer), "b:1 ");
    say("a");
    say("b");
    const std::string next = poll("after=" + cursor(answer));
    EXPECT_EQ(places(next), "a:1 b:2 ");
    EXPECT_EQ(body(poll("after=" + cursor(next))), "[]");
}

TEST_F(LongPollTest, TheSameAnswerAgainFromTheSameCursor) {
    join("a", "u-1");
    const std::string start = cursor(poll(""));
    say("a");
    EXPECT_EQ(places(poll("after=" + start)), "a:1 ");
    EXPECT_EQ(places(heard(long_poll("after=" + start))), "a:1 ");
}

TEST_F(LongPollTest, ACursorThatIsForgedOrAnothersIsRefused) {
    join("a", "u-1");
    std::string text = cursor(poll(""));
    EXPECT_EQ(status(poll("after=" + text)), 200);
    EXPECT_EQ(status(poll("after=" + text, "u-2")), 403);
    text[5] = text[5] == 'A' ? 'B' : 'A';
    EXPECT_EQ(status(poll("after=" + text)), 400);
    EXPECT_EQ(status(poll("after=0")), 400);
    EXPECT_EQ(status(poll("after=")), 400);
}

TEST_F(LongPollTest, ARoomJoinedSinceIsReadFromTheRecordOfJoiningOn) {
    join("a", "u-1");
    const std::string start = cursor(poll(""));
    for (int i = 0; i < 4; ++i) say("b");
    join("b", "u-1", 3);
    EXPECT_EQ(places(poll("after=" + start)), "b:3 b:4 ");
}

TEST_F(LongPollTest, AWaitingPollHearsOfARoomThatIsJoined) {
    join("a", "u-1");
    Line& line = long_poll("timeout=30000");
    join("b", "u-1", 1);
    say("b", to_extra({RoomChange::Kind::kJoined, MemberId::trusted("u-1")}));
    bus.notify(
        {bus::Notice::Kind::kRoomChanged, "b", to_extra({RoomChange::Kind::kJoined, MemberId::trusted("u-1")}), {}});
    turn();
    EXPECT_EQ(places(heard(line)), "b:1 ");
}

TEST_F(LongPollTest, ARoomThatBeganAnewIsSaidOnceWithACursorThatGoesOn) {
    join("a", "u-1");
    say("a");
    const std::string old = cursor(poll(""));
    log.inner.epoch = {8};
    const std::string answer = poll("after=" + old);
    EXPECT_EQ(status(answer), 409);
    EXPECT_THAT(answer, HasSubstr(R"("code":"POSITION_INVALID")"));
    EXPECT_THAT(answer, HasSubstr(R"("roomId":"a","epoch":"8","firstSeq":1,"headSeq":1)"));
    EXPECT_EQ(places(poll("after=" + cursor(answer))), "a:1 ");
}

TEST_F(LongPollTest, NoRoomKeepsTheOthersFromTheirShare) {
    join("a", "u-1");
    join("b", "u-1");
    const std::string start = cursor(poll(""));
    for (int i = 0; i < 600; ++i) {
        Draft draft;
        draft.sender = MemberId::trusted("u-9");
        draft.content = "x";
        log.inner.put(RoomId::trusted("a"), std::move(draft));
    }
    say("b");
    std::string answer = poll("after=" + start);
    EXPECT_THAT(places(answer), HasSubstr("b:1 "));
    std::string all = places(answer);
    for (int i = 0; i < 4; ++i) {
        answer = poll("after=" + cursor(answer));
        all += places(answer);
    }
    for (int i = 1; i <= 600; ++i) EXPECT_THAT(all, HasSubstr("a:" + std::to_string(i) + ' '));
    EXPECT_EQ(std::count(all.begin(), all.end(), ':'), 601);
}

TEST_F(LongPollTest, NothingAboveAKickReachesTheMember) {
    join("a", "u-1");
    Line& line = long_poll("roomId=a");
    const RoomChange kick{RoomChange::Kind::kKicked, MemberId::trusted("u-1")};
    say("a", to_extra(kick));  // in the log, not yet in the directory
    EXPECT_EQ(places(heard(line)), "a:1 ");
    say("a");
    EXPECT_EQ(places(poll("roomId=a&after=0")), "a:1 ");
    ASSERT_TRUE(directory->put_membership(RoomId::trusted("a"),
                                          {MemberId::trusted("u-1"), "u-1", store::Standing::kKicked, {1}}));
    EXPECT_EQ(status(poll("roomId=a&after=1")), 403);
}

TEST_F(LongPollTest, AWaitingPollEndsWhenTheRightDoes) {
    join("a", "u-1");
    Line& line = long_poll("roomId=a");
    ASSERT_TRUE(directory->put_membership(RoomId::trusted("a"),
                                          {MemberId::trusted("u-1"), "u-1", store::Standing::kKicked, {1}}));
    bus.notify(
        {bus::Notice::Kind::kRoomChanged, "a", to_extra({RoomChange::Kind::kKicked, MemberId::trusted("u-1")}), {}});
    turn();
    EXPECT_EQ(status(heard(line)), 403);
}

TEST_F(LongPollTest, AWaitingPollEndsWithItsToken) {
    Line& revoked = long_poll("roomId=r-1&timeout=40000");
    bus.notify({bus::Notice::Kind::kMemberRevoked, "u-1", {}, clock.wall() + seconds{1}});
    EXPECT_EQ(status(heard(revoked)), 401);
    Line& expires = send("GET /api/messages/longpoll?roomId=r-1&timeout=40000&token=" + token("u-2", seconds{5}) +
                         " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    pass(seconds{7});
    EXPECT_EQ(status(heard(expires)), 401);
    EXPECT_EQ(services->sessions, 0U);
}

TEST_F(LongPollTest, AClientThatGoesLeavesNothing) {
    Line& line = long_poll("roomId=r-1");
    EXPECT_EQ(services->sessions, 1U);
    const linger hard{1, 0};
    (void)::setsockopt(line.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    core->connections().close_all();
    turn();
    EXPECT_EQ(services->sessions, 0U);
    store(1);
}

TEST_F(LongPollTest, AClientThatClosesIsNotWaitedForUntilTheTimeOut) {
    Line& line = long_poll("roomId=r-1");
    ASSERT_EQ(::shutdown(line.fd, SHUT_WR), 0);
    EXPECT_EQ(body(heard(line)), "[]") << "it may have closed its side only";
    EXPECT_EQ(services->sessions, 0U);
}

TEST_F(LongPollTest, ClientsThatCloseWhileTheirTokenIsLookedAtLeaveNothing) {
    for (const std::string path : {"/api/messages/longpoll?roomId=r-1&", "/api/messages/longpoll?",
                                   "/api/rooms/r-1/stream?", "/api/notifications/stream?"}) {
        Line& line =
            send("GET " + path + "token=" + token("u-1") + " HTTP/1.1\r\nHost: localhost\r\n\r\n", Then::kCloses);
        heard(line);
        EXPECT_EQ(services->sessions, 0U) << path;
        EXPECT_TRUE(line.ended) << path;
    }
}

TEST_F(LongPollTest, TheNextPollGoesOverTheSameConnection) {
    Line& line = long_poll("roomId=r-1&timeout=1000");
    pass(milliseconds{1100});
    EXPECT_EQ(field(heard(line), "Connection"), "");
    const std::string again =
        "GET /api/messages?roomId=r-1&token=" + token("u-1") + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ASSERT_GT(::send(line.fd, again.data(), again.size(), MSG_NOSIGNAL), 0);
    EXPECT_EQ(body(heard(line)), "[]");
}

TEST_F(LongPollTest, ADrainAnswersIt) {
    Line& line = long_poll("roomId=r-1");
    core->drain(seconds{1});
    EXPECT_EQ(body(heard(line)), "[]");
}

}  // namespace
}  // namespace parley::gateway::testing
