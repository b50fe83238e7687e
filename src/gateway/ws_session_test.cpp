#include "gateway/ws_session.h"

#include "gateway/socket_fixture.h"
#include "gateway/ws_apps.h"
#include "wire/websocket_test_support.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;
using wire::client_frame;
using wire::Opcode;

/// Echoes, and says when it is over.
class WatchedApp final : public WsApp {
public:
    explicit WatchedApp(bool& over) : over_(over) {}
    void on_open(WsSession& socket) override { socket_ = &socket; }
    wire::Flow on_message(Opcode opcode, std::string_view payload) override {
        if (payload == "pause") return wire::Flow::kPause;
        socket_->send(opcode, payload);
        return wire::Flow::kContinue;
    }
    void on_closed() override { over_ = true; }

private:
    bool& over_;
    WsSession* socket_ = nullptr;
};

/// A WebSocket that echoes, behind an upgrade.
class WsSessionTest : public testing::SocketTest {
protected:
    void SetUp() override {
        SocketTest::SetUp();
        service.serve = [](const ExchangeRef& exchange) {
            exchange->upgrade("HTTP/1.1 101 Switching Protocols\r\n\r\n",
                              std::make_unique<WsSession>(std::make_unique<EchoWsApp>(), wire::WebSocketLimits{},
                                                          WsSession::Compression{}));
        };
    }
};

/// Its owner calls on_second(): pings after 3 s of silence, 5 s for a message.
class WsPatienceTest : public testing::SocketTest {
protected:
    void SetUp() override {
        SocketTest::SetUp();
        service.serve = [this](const ExchangeRef& exchange) {
            auto made = std::make_unique<WsSession>(std::make_unique<WatchedApp>(over), wire::WebSocketLimits{},
                                                    WsSession::Compression{});
            session = made.get();
            exchange->upgrade("", std::move(made));
        };
        write(get("/ws"));
    }
    void seconds_pass(int count) {
        for (int i = 0; i < count; ++i) {
            pass(seconds{1});
            if (!over) session->on_second(loop.now(), {.ping = seconds{3}, .message = seconds{5}});
        }
    }

    WsSession* session = nullptr;
    bool over = false;
};

TEST_F(WsSessionTest, WhatCameBehindTheHandshakeIsTheFirstMessage) {
    write(get("/ws") + client_frame(Opcode::kText, "early"));
    EXPECT_THAT(read(), HasSubstr("\x81\x05"
                                  "early"));
}

TEST_F(WsSessionTest, APingIsAnsweredAndAClose) {
    write(get("/ws"));
    read();
    write(client_frame(Opcode::kPing, "p"));
    EXPECT_EQ(read(), "\x8A\x01p");
    write(client_frame(Opcode::kClose, std::string{"\x03\xE8"}));
    EXPECT_EQ(read(), "\x88\x02\x03\xE8");
    EXPECT_TRUE(saw_end);
}

TEST_F(WsSessionTest, AnUnmaskedFrameIsAProtocolError) {
    write(get("/ws"));
    read();
    write(client_frame(Opcode::kText, "x", {.masked = false}));
    EXPECT_THAT(read(), HasSubstr("\x03\xEA"));
    EXPECT_TRUE(saw_end);
}

TEST_F(WsSessionTest, AFloodOfPingsThatNobodyReadsTheAnswersOfStaysSmall) {
    write(get("/ws"));
    std::string pings;
    for (int i = 0; i < 100; ++i) pings += client_frame(Opcode::kPing, std::string(125, 'p'));
    for (int i = 0; i < 300; ++i) write(pings);
    write(client_frame(Opcode::kPing, "last"));
    EXPECT_LT(set.queued_bytes(), 80 * 1024U);
    std::string answers;
    for (int i = 0; i < 50; ++i) answers += read();
    EXPECT_TRUE(answers.ends_with("\x8A\x04last"));
}

TEST_F(WsPatienceTest, WhoTakesNothingForTheSendTimeAndThenReadsFindsWhy) {
    std::string sent;
    for (int i = 0; i < 1000 && set.queued_bytes() == 0; ++i) {
        sent += "\x81\x7E\x03\xE8" + std::string(1000, 'x');
        write(client_frame(Opcode::kText, std::string(1000, 'x')));
    }
    pass(seconds{21});
    EXPECT_TRUE(over);
    pass(seconds{1});
    std::string got;
    for (int i = 0; i < 50; ++i) got += read();
    EXPECT_EQ(got.substr(0, sent.size()), sent);
    EXPECT_EQ(got.substr(sent.size()), std::string{"\x88\x19\x11\x38the socket took nothing"});
    EXPECT_TRUE(saw_end);
}

TEST_F(WsPatienceTest, WhoThenStillTakesNothingIsLetGo) {
    while (set.queued_bytes() == 0) write(client_frame(Opcode::kText, std::string(1000, 'x')));
    pass(seconds{21});
    EXPECT_EQ(set.size(), 1U);
    pass(seconds{3});
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.queued_bytes(), 0U);
}

TEST_F(WsPatienceTest, ASilentPeerIsPingedOnceAndClosedWhenNothingCame) {
    seconds_pass(3);
    EXPECT_EQ(read(), "");
    seconds_pass(3);
    EXPECT_EQ(read(), std::string("\x89\0", 2));
    EXPECT_FALSE(over);
    seconds_pass(1);
    EXPECT_THAT(read(), HasSubstr("nothing was heard"));
    EXPECT_TRUE(saw_end);
}

TEST_F(WsPatienceTest, WhoIsPingedLateHasAsLongToAnswer) {
    pass(seconds{60});  // the loop stood still
    seconds_pass(1);
    EXPECT_EQ(read(), std::string("\x89\0", 2));
    seconds_pass(2);
    EXPECT_FALSE(over);
    seconds_pass(1);
    EXPECT_THAT(read(), HasSubstr("nothing was heard"));
}

TEST_F(WsPatienceTest, APeerThatAnswersPingsStays) {
    for (int i = 0; i < 10; ++i) {
        seconds_pass(4);
        EXPECT_EQ(read(), std::string("\x89\0", 2)) << i;
        write(client_frame(Opcode::kPong, ""));
    }
    EXPECT_FALSE(over);
}

TEST_F(WsPatienceTest, APeerThatTalksIsNotPinged) {
    for (int i = 0; i < 10; ++i) {
        seconds_pass(3);
        write(client_frame(Opcode::kText, "x"));
        EXPECT_EQ(read(), "\x81\x01x");
    }
}

TEST_F(WsPatienceTest, AMessageThatDripsIsCutOffThoughEveryByteIsInTime) {
    const std::string message = client_frame(Opcode::kText, std::string(100, 'x'));
    for (int i = 0; i < 5; ++i) {
        write(message.substr(static_cast<std::size_t>(i), 1));
        seconds_pass(1);
    }
    EXPECT_FALSE(over);
    seconds_pass(1);
    EXPECT_THAT(read(), HasSubstr("\x11\x38"
                                  "a message took too long"));
    EXPECT_TRUE(saw_end);
}

TEST_F(WsPatienceTest, EachMessageHasItsOwnTime) {
    const std::string message = client_frame(Opcode::kText, "12345678");
    write(message.substr(0, 4));
    for (int i = 0; i < 10; ++i) {
        seconds_pass(4);
        write(message.substr(4) + message.substr(0, 4));
        EXPECT_THAT(read(), HasSubstr("12345678"));
    }
    EXPECT_FALSE(over);
}

TEST_F(WsPatienceTest, APeerThatIsNotReadFromIsNotSilent) {
    write(client_frame(Opcode::kText, "pause") + client_frame(Opcode::kText, "x").substr(0, 3));
    seconds_pass(30);
    EXPECT_EQ(read(), "");
    session->resume();
    seconds_pass(4);
    EXPECT_EQ(read(), std::string("\x89\0", 2));
    EXPECT_FALSE(over);
}

}  // namespace
}  // namespace parley::gateway
