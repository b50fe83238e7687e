#include "gateway/live_fixture.h"

namespace parley::gateway::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RoomStreamTest : public LiveTest {
protected:
    /// A stream without chunk sizes between its events.
    Line& stream(const std::string& query = {}, const std::string& member = "u-1", const std::string& fields = {}) {
        return ask("/api/rooms/r-1/stream" + query, member, fields, 0);
    }
    /// The ids of the events in `text`, `1 2 3 `.
    static std::string ids(const std::string& text) {
        std::string out;
        for (auto at = text.find("id: "); at != std::string::npos; at = text.find("id: ", at + 1)) {
            out += text.substr(at + 4, text.find('\n', at) - at - 4) + ' ';
        }
        return out;
    }
    void end_right(RoomChange::Kind kind, const std::string& member) {
        Draft draft;
        draft.sender = MemberId::trusted("u-9");
        draft.type = MessageType::kSystem;
        draft.content = "changed";
        draft.extra = to_extra({kind, MemberId::trusted(member)});
        bus.announce(std::vector<MessageRef>{log.inner.put(RoomId::trusted("r-1"), std::move(draft))});
        turn();
    }
};

TEST_F(RoomStreamTest, ConnectedComesFirstAndSaysWhereTheRoomStands) {
    store(3);
    Line& line = stream();
    const std::string answer = heard(line);
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(field(answer, "Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(field(answer, "Cache-Control"), "no-store");
    EXPECT_EQ(field(answer, "X-Accel-Buffering"), "no");
    EXPECT_EQ(body(answer),
              "retry: 2000\nevent: connected\n"
              "data: {\"roomId\":\"r-1\",\"epoch\":\"7\",\"firstSeq\":1,\"headSeq\":3}\n\n");
}

TEST_F(RoomStreamTest, WithoutAPositionItIsLiveOnly) {
    store(3);
    Line& line = stream();
    heard(line);
    store(2);
    EXPECT_EQ(ids(heard(line)), "4 5 ");
}

TEST_F(RoomStreamTest, TheDataIsTheMessageAndTheNameTheDefaultOne) {
    Line& line = stream();
    heard(line);
    store(1, "hi");
    const std::string event = heard(line);
    EXPECT_THAT(event, StartsWith("id: 1\ndata: {\"messageId\":"));
    EXPECT_THAT(event, HasSubstr(R"("seq":1,"senderId":"u-9")"));
    EXPECT_THAT(event, Not(HasSubstr("event:")));
}

TEST_F(RoomStreamTest, AfterAndLastEventIdResumeAndTheHeaderWins) {
    store(5);
    EXPECT_EQ(ids(heard(stream("?after=2"))), "3 4 5 ");
    EXPECT_EQ(ids(heard(stream("?after=0"))), "1 2 3 4 5 ");
    EXPECT_EQ(ids(heard(stream("?after=2", "u-1", "Last-Event-ID: 4\r\n"))), "5 ");
}

TEST_F(RoomStreamTest, ALastEventIdThatIsNoNumberOrLiesAheadGoesOnLive) {
    store(2);
    for (const std::string id : {"abc", "-1", "3", "99999999999999999999999", "1e1"}) {
        Line& line = stream("", "u-1", "Last-Event-ID: " + id + "\r\n");
        const std::string answer = heard(line);
        EXPECT_EQ(status(answer), 200) << id;
        EXPECT_EQ(ids(answer), "") << id;
        line.hang_up();
    }
    Line& line = stream("", "u-1", "Last-Event-ID: 7\r\n");
    heard(line);
    store(1);
    EXPECT_EQ(ids(heard(line)), "3 ");
}

TEST_F(RoomStreamTest, AnAfterThatLiesAheadOrIsOfAnotherEpochIsRefused) {
    store(2);
    const std::string answer = heard(stream("?after=3"));
    EXPECT_EQ(status(answer), 409);
    EXPECT_THAT(body(answer), HasSubstr("POSITION_INVALID"));
    EXPECT_EQ(status(heard(stream("?after=1&epoch=8"))), 409);
    EXPECT_EQ(status(heard(stream("?after=x"))), 400);
    EXPECT_EQ(status(heard(stream("?after=1&epoch=8", "u-1", "Last-Event-ID: 1\r\n"))), 200);
}

TEST_F(RoomStreamTest, WhatALogThatIsBehindDoesNotKnowIsNeitherRefusedForGoodNorPassedOver) {
    store(2);
    log.inner.is_behind = true;
    EXPECT_EQ(status(heard(stream("?after=3"))), 503);
    EXPECT_EQ(status(heard(stream("", "u-1", "Last-Event-ID: 3\r\n"))), 503);
    EXPECT_EQ(status(heard(stream("?after=3", "u-1", "Last-Event-ID: 2\r\n"))), 200);
}

TEST_F(RoomStreamTest, WhatIsNoLongerKeptIsSaidAndDeliveryGoesOnFromThere) {
    store(5);
    log.inner.trim(RoomId::trusted("r-1"), {4});
    const std::string answer = heard(stream("?after=1"));
    EXPECT_THAT(answer, HasSubstr("event: truncated\ndata: {\"code\":\"HISTORY_TRUNCATED\""));
    EXPECT_THAT(answer, HasSubstr(R"("firstSeq":4)"));
    EXPECT_EQ(ids(answer), "4 5 ");
}

TEST_F(RoomStreamTest, AnHttp11StreamIsChunkedAndEndsWithItsLastChunk) {
    Line& line = ask("/api/rooms/r-1/stream");
    const std::string answer = heard(line);
    EXPECT_EQ(field(answer, "Transfer-Encoding"), "chunked");
    EXPECT_EQ(field(answer, "Connection"), "close");
    pass(std::chrono::minutes{30} + seconds{1});
    const std::string rest = heard(line);
    EXPECT_TRUE(rest.ends_with("\r\n0\r\n\r\n")) << rest;
    EXPECT_TRUE(line.ended);
}

TEST_F(RoomStreamTest, AnHttp10StreamIsPlainAndEndsWithItsConnection) {
    Line& line = stream();
    const std::string answer = heard(line);
    EXPECT_EQ(field(answer, "Transfer-Encoding"), "");
    pass(std::chrono::minutes{30} + seconds{1});
    EXPECT_THAT(heard(line), Not(HasSubstr("0\r\n")));
    EXPECT_TRUE(line.ended);
}

TEST_F(RoomStreamTest, ACommentComesEvery15Seconds) {
    Line& line = stream();
    heard(line);
    pass(seconds{14});
    EXPECT_EQ(heard(line), "");
    pass(seconds{2});
    EXPECT_EQ(heard(line), ":\n\n");
    pass(seconds{16});
    EXPECT_EQ(heard(line), ":\n\n");
}

TEST_F(RoomStreamTest, ItEndsWhenItsTokenExpires) {
    Line& line =
        send("GET /api/rooms/r-1/stream?token=" + token("u-1", seconds{5}) + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(status(heard(line)), 200);
    pass(seconds{7});
    EXPECT_THAT(heard(line), StartsWith("event: expired\ndata: {\"code\":\"AUTH_EXPIRED\""));
    EXPECT_TRUE(line.ended);
}

TEST_F(RoomStreamTest, ItEndsWhenItsTokenIsRevokedAndOthersStay) {
    Line& line = stream();
    Line& other = stream("", "u-2");
    heard(line);
    heard(other);
    bus.notify({bus::Notice::Kind::kMemberRevoked, "u-1", {}, clock.wall() + seconds{1}});
    EXPECT_THAT(heard(line), StartsWith("event: expired\ndata: {\"code\":\"AUTH_EXPIRED\""));
    EXPECT_TRUE(line.ended);
    EXPECT_EQ(heard(other), "");
    EXPECT_FALSE(other.ended);
}

TEST_F(RoomStreamTest, AKickEndsItAtItsSeq) {
    Line& line = stream();
    Line& other = stream("", "u-2");
    heard(line);
    heard(other);
    end_right(RoomChange::Kind::kKicked, "u-1");
    store(1);
    const std::string rest = heard(line);
    EXPECT_EQ(ids(rest), "1 ");
    EXPECT_THAT(rest, HasSubstr("event: ended\ndata: {\"code\":\"CHAT_FORBIDDEN\""));
    EXPECT_TRUE(line.ended);
    EXPECT_EQ(ids(heard(other)), "1 2 ");
}

TEST_F(RoomStreamTest, AReaderThatDoesNotReadIsFilledUpFromTheLogWithoutAGap) {
    Line& line = stream();
    heard(line);
    const std::string large(30'000, 'x');
    for (int i = 0; i < 100; ++i) store(1, large);
    EXPECT_LT(core->connections().queued_bytes(), options.send_buffer.count + 64 * 1024);
    std::string text;
    for (int i = 0; i < 100; ++i) text += heard(line);
    std::string wanted;
    for (int i = 1; i <= 100; ++i) wanted += std::to_string(i) + ' ';
    EXPECT_EQ(ids(text), wanted);
}

TEST_F(RoomStreamTest, APrivateRoomIsNotThereForOthersAndWithoutATokenNothingIs) {
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    room.visibility = store::Visibility::kPrivate;
    room.owner = MemberId::trusted("u-own");
    ASSERT_TRUE(directory->add_room(room, "own"));
    EXPECT_EQ(status(heard(stream())), 404);
    EXPECT_EQ(status(heard(stream("", "u-own"))), 200);
    EXPECT_EQ(status(heard(stream("", ""))), 401);
}

TEST_F(RoomStreamTest, UnnamedLeavesNamesOut) {
    EXPECT_THAT(body(heard(stream("?unnamed=1"))), StartsWith("retry: 2000\ndata: {"));
}

TEST_F(RoomStreamTest, HeadIsAnsweredAndStaysNot) {
    Line& line = send("HEAD /api/rooms/r-1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                      token("u-1") + "\r\n\r\n");
    const std::string answer = heard(line);
    EXPECT_EQ(field(answer, "Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(body(answer), "");
    EXPECT_TRUE(line.ended);
    EXPECT_EQ(services->sessions, 0U);
}

TEST_F(RoomStreamTest, AStreamIsASessionAndAFullServerTakesNoMore) {
    options.max_sessions = 1;
    Line& line = stream();
    EXPECT_EQ(services->sessions, 1U);
    EXPECT_EQ(status(heard(stream())), 503);
    line.hang_up();
    turn();
    EXPECT_EQ(services->sessions, 0U);
    EXPECT_EQ(status(heard(stream())), 200);
}

TEST_F(RoomStreamTest, ADrainTellsWhenToComeBackAndEndsIt) {
    Line& line = stream();
    heard(line);
    core->drain(seconds{1});
    EXPECT_THAT(heard(line), StartsWith("retry: 5"));
    EXPECT_TRUE(line.ended);
}

}  // namespace
}  // namespace parley::gateway::testing
