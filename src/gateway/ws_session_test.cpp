#include "gateway/ws_session.h"

#include "gateway/socket_fixture.h"
#include "gateway/ws_apps.h"
#include "wire/websocket_test_support.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;
using wire::client_frame;
using wire::Opcode;

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

}  // namespace
}  // namespace parley::gateway
