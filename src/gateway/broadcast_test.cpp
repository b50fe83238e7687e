#include "gateway/broadcast.h"

#include "gateway/live_fixture.h"
#include "wire/websocket_test_support.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;

class BroadcastTest : public testing::LiveTest {
protected:
    Line& open() {
        Line& line = ask("/room", "", kUpgrade);
        EXPECT_EQ(status(heard(line)), 101);
        return line;
    }
    void say(Line& line, const std::string& text, wire::Opcode opcode = wire::Opcode::kText) {
        const std::string frame = wire::client_frame(opcode, text);
        EXPECT_EQ(::write(line.fd, frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
        turn();
    }
    /// A server's text frame of less than 126 bytes.
    static std::string frame(const std::string& text) {
        return "\x81" + std::string(1, static_cast<char>(text.size())) + text;
    }
    static constexpr const char* kUpgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
};

TEST_F(BroadcastTest, WhatOneSaysEverybodyHearsTheSpeakerToo) {
    Line& one = open();
    Line& other = open();
    say(one, "안녕");
    say(other, "");
    const std::string both = frame("Server received: 안녕") + frame("Server received: ");
    EXPECT_EQ(heard(one), both);
    EXPECT_EQ(heard(other), both);
}

TEST_F(BroadcastTest, WhoHasLeftIsNotSpokenTo) {
    Line& one = open();
    open().hang_up();
    turn();
    EXPECT_EQ(core->broadcast().listeners(), 1U);
    say(one, "x");
    EXPECT_EQ(heard(one), frame("Server received: x"));
    EXPECT_EQ(core->sessions(), 1U);
}

TEST_F(BroadcastTest, ABinaryMessageIsRefusedAndTheSocketStays) {
    Line& one = open();
    say(one, "x", wire::Opcode::kBinary);
    EXPECT_THAT(heard(one), HasSubstr(R"({"code":"CHAT_INVALID_PAYLOAD")"));
    say(one, "y");
    EXPECT_EQ(heard(one), frame("Server received: y"));
}

TEST_F(BroadcastTest, WhoDoesNotReadMissesTextsAndHoldsNobodyUp) {
    options.send_buffer = Bytes{64 * 1024};
    core->connections().set_send_buffer(options.send_buffer);
    Line& slow = open();
    Line& one = open();
    const std::string text(20'000, 'x');
    std::size_t got = 0;
    for (int i = 0; i < 100; ++i) {
        say(one, text);
        got += heard(one).size();
    }
    EXPECT_GE(got, 100 * text.size());
    EXPECT_LE(core->connections().queued_bytes(), 64U * 1024 + text.size() + 100);
    EXPECT_LT(heard(slow).size(), 100 * text.size());
}

TEST_F(BroadcastTest, SilentLinesArePinged) {
    Line& one = open();
    pass(seconds{32});
    EXPECT_EQ(heard(one), std::string("\x89\0", 2));
}

TEST_F(BroadcastTest, WhoAnswersNoPingIsNoListenerAnyMore) {
    Line& dead = open();
    Line& one = open();
    for (int i = 0; i < 3; ++i) {
        pass(seconds{25});
        say(one, "", wire::Opcode::kPong);
    }
    EXPECT_THAT(heard(dead), HasSubstr("nothing was heard"));
    EXPECT_EQ(core->broadcast().listeners(), 1U);
    EXPECT_EQ(core->sessions(), 1U);
}

TEST_F(BroadcastTest, AServerThatGoesSaysWhenToComeBack) {
    Line& one = open();
    core->drain(milliseconds{0});
    EXPECT_EQ(heard(one),
              "\x88\x05\x03\xe9"
              "500");
}

TEST_F(BroadcastTest, WithoutAnUpgradeItIs426) { EXPECT_EQ(status(heard(ask("/room", ""))), 426); }

TEST_F(BroadcastTest, WhenTheServerIsFullItIs503) {
    options.max_sessions = 1;
    open();
    EXPECT_EQ(status(heard(ask("/room", "", kUpgrade))), 503);
}

}  // namespace
}  // namespace parley::gateway
