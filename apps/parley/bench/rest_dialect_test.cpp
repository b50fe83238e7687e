#include "bench/rest_dialect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/heard_fixture.h"

namespace parley::bench {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Receive = RestDialect::Receive;

const Stamp kStamp{77, 5, 3};

std::string message(std::uint64_t seq) {
    std::string content;
    append_payload(content, kStamp, 64);
    return fmt::format(R"({{"messageId":"m","roomId":"r-1","seq":{},"content":"{}","type":"TALK"}})", seq, content);
}

std::string answer(std::string_view body, std::string_view fields = {}, std::string_view status = "200 OK") {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), fields, body);
}

std::string chunk(std::string_view data) { return fmt::format("{:x}\r\n{}\r\n", data.size(), data); }

class RestDialectTest : public testing::Test {
protected:
    void talk(Receive receive, bool sends = false, bool receives = true) {
        RestDialect::Options options;
        options.receive = receive;
        options.host = "h:1";
        options.token = [](const Seat& seat) { return "token-of-" + seat.member; };
        dialect = std::make_unique<RestDialect>(options);
        Seat seat;
        seat.number = 5;
        seat.room_name = "r-1";
        seat.member = "m-5";
        seat.sends = sends;
        seat.receives = receives;
        talker = dialect->converse(seat);
        talker->begin(out);
    }
    /// What it asks for since the last time.
    std::string asked() {
        const std::string text = std::exchange(out, {});
        return text.substr(0, text.find(" HTTP"));
    }
    void receive(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        hear(*talker, bytes, out, heard, piece);
    }

    std::unique_ptr<RestDialect> dialect;
    std::unique_ptr<Conversation> talker;
    std::string out;
    Heard heard;
};

TEST_F(RestDialectTest, ReadsAStreamCutAtEveryByte) {
    talk(Receive::kStream);
    EXPECT_THAT(out,
                StartsWith("GET /api/rooms/r-1/stream HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer token-of-m-5"));
    const std::string two = fmt::format("id: 9\ndata: {}\n\nid: 10\ndata: {}\n\n", message(9), message(10));
    receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunk("retry: 2000\nevent: connected\ndata: {}\n\n") + chunk(":\n\n") + chunk(two.substr(0, 100)) +
                chunk(two.substr(100)),
            1);
    EXPECT_THAT(heard.said, ElementsAre("live", "seq 9 is 3 of 5", "seq 10 is 3 of 5"));
}

TEST_F(RestDialectTest, AStreamThatEndsIsABrokenOne) {
    talk(Receive::kStream);
    receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("event: expired\ndata: {}\n\n"));
    EXPECT_THAT(heard.said, ElementsAre(HasSubstr("expired")));
}

TEST_F(RestDialectTest, ALongPollGoesOnWhereTheOneBeforeEnded) {
    talk(Receive::kLongPoll);
    EXPECT_EQ(asked(), "GET /api/messages/longpoll?timeout=0&roomId=r-1&");
    receive(answer("[]", "X-Parley-Cursor: 8\r\n"));
    EXPECT_EQ(asked(), "GET /api/messages/longpoll?timeout=30000&roomId=r-1&after=8");
    receive(answer(fmt::format("[{},{}]", message(9), message(10)), "X-Parley-Cursor: 10\r\n"), 1);
    EXPECT_EQ(asked(), "GET /api/messages/longpoll?timeout=30000&roomId=r-1&after=10");
    EXPECT_THAT(heard.said, ElementsAre("live", "seq 9 is 3 of 5", "seq 10 is 3 of 5"));
}

TEST_F(RestDialectTest, APollWaitsForItsTimeAndForTheAnswerBefore) {
    talk(Receive::kPoll);
    asked();
    receive(answer("[]", "X-Parley-Cursor: 8\r\n"));
    EXPECT_THAT(asked(), IsEmpty());
    talker->on_tick(out);
    EXPECT_EQ(asked(), "GET /api/messages?roomId=r-1&after=8");
    talker->on_tick(out);
    EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(RestDialectTest, APollThatBroughtAFullAnswerIsFollowedAtOnce) {
    talk(Receive::kPoll);
    receive(answer("[]", "X-Parley-Cursor: 8\r\n"));
    talker->on_tick(out);
    asked();
    std::string full = "[" + message(9);
    for (int i = 10; i < 509; ++i) full += "," + message(static_cast<std::uint64_t>(i));
    receive(answer(full + "]", "X-Parley-Cursor: 508\r\n"));
    EXPECT_EQ(asked(), "GET /api/messages?roomId=r-1&after=508");
    receive(answer("[" + message(509) + "]", "X-Parley-Cursor: 509\r\n"));
    EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(RestDialectTest, AMemberOfAllItsRoomsIsLiveFromItsOwnJoiningOn) {
    talk(Receive::kLongPollAll);
    EXPECT_EQ(asked(), "GET /api/messages/longpoll?timeout=0&");
    receive(answer("[]", "X-Parley-Cursor: empty\r\n"));
    EXPECT_EQ(asked(), "POST /api/rooms/r-1/join");
    receive(answer("{}"));
    EXPECT_EQ(asked(), "GET /api/messages/longpoll?timeout=30000&after=empty");
    const auto joined = [](int seq, const char* who) {
        return fmt::format(R"([{{"seq":{},"senderId":"{}","type":"SYSTEM"}}])", seq, who);
    };
    receive(answer(joined(4, "r-1.000005"), "X-Parley-Cursor: c4\r\n") +
            answer(joined(5, "r-1.000006"), "X-Parley-Cursor: c5\r\n"));
    EXPECT_THAT(heard.said, ElementsAre("start 4", "live", "other 5"));
}

TEST_F(RestDialectTest, OnePostIsUnderWayAndTheNextOnesWait) {
    talk(Receive::kStream, true, false);
    EXPECT_EQ(asked(), "GET /health");
    receive(answer("{}"));
    talker->append_send(out, kStamp, 64);
    talker->append_send(out, {78, 5, 4}, 64);
    EXPECT_THAT(out, HasSubstr("\r\n\r\n{\"content\":\"bm."));
    EXPECT_EQ(asked(), "POST /api/rooms/r-1/messages");
    receive(answer(message(12), {}, "201 Created"));
    EXPECT_EQ(asked(), "POST /api/rooms/r-1/messages");
    receive(answer(R"({"code":"CHAT_FORBIDDEN"})", {}, "403 Forbidden"));
    EXPECT_THAT(heard.said, ElementsAre("live", "receipt 3 seq 12", "refused 4"));
}

TEST_F(RestDialectTest, WhoSendsAndReceivesHasTwoConnections) {
    talk(Receive::kLongPoll, true);
    ASSERT_NE(talker->way_back(), nullptr);
    std::string back;
    talker->way_back()->begin(back);
    EXPECT_THAT(back, StartsWith("GET /health "));
}

TEST_F(RestDialectTest, PoliteRefusalIsToldFromOthers) {
    talk(Receive::kStream);
    receive(answer("{}", "Retry-After: 5\r\n", "503 Service Unavailable"));
    talk(Receive::kLongPoll);
    receive(answer("{}", {}, "401 Unauthorized"));
    EXPECT_THAT(heard.said, ElementsAre(StartsWith(fmt::format("end {}", static_cast<int>(End::kBusy))),
                                        StartsWith(fmt::format("end {}", static_cast<int>(End::kBroken)))));
}

TEST_F(RestDialectTest, TheServerMayCloseBetweenPollsOnly) {
    talk(Receive::kPoll);
    EXPECT_FALSE(talker->on_closed(out));
    receive(answer("[]", "X-Parley-Cursor: 8\r\n"));
    EXPECT_TRUE(talker->on_closed(out));
}

TEST_F(RestDialectTest, WhatIsNoAnswerEndsIt) {
    talk(Receive::kPoll);
    receive("SSH-2.0\r\n\r\n");
    talk(Receive::kStream);
    receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n");
    EXPECT_THAT(heard.said, ElementsAre(HasSubstr("not an answer"), HasSubstr("not a chunk")));
}

}  // namespace
}  // namespace parley::bench
