#include "wire/websocket_handshake.h"

#include <gtest/gtest.h>

#include <array>

namespace parley::wire {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

UpgradeHeaders good() { return {"websocket", "Upgrade", "13", kKey}; }

int status_of(const UpgradeHeaders& headers) {
    const auto refusal = check_handshake(headers);
    return refusal ? refusal->status : 101;
}

TEST(WebSocketHandshake, AcceptKeyIsTheOneOfTheRfc) { EXPECT_EQ(accept_key(kKey), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); }

TEST(WebSocketHandshake, TakesAGoodOne) { EXPECT_EQ(status_of(good()), 101); }

TEST(WebSocketHandshake, TakesTokensInListsAndInAnyCase) {
    UpgradeHeaders headers = good();
    headers.upgrade = "h2c, WebSocket";
    headers.connection = "keep-alive,  UPGRADE";
    EXPECT_EQ(status_of(headers), 101);
}

TEST(WebSocketHandshake, RefusesWithoutUpgrade) {
    UpgradeHeaders headers = good();
    headers.upgrade = "websockets";
    EXPECT_EQ(status_of(headers), 400);
    EXPECT_FALSE(wants_websocket(headers.upgrade));
}

TEST(WebSocketHandshake, RefusesWithoutConnectionUpgrade) {
    UpgradeHeaders headers = good();
    headers.connection = "keep-alive";
    EXPECT_EQ(status_of(headers), 400);
}

TEST(WebSocketHandshake, Answers426ToAnotherVersion) {
    for (const std::string_view version : {"", "8", "14", "13, 8"}) {
        UpgradeHeaders headers = good();
        headers.version = version;
        EXPECT_EQ(status_of(headers), 426) << version;
    }
}

TEST(WebSocketHandshake, RefusesAKeyThatIsNot16BytesOfBase64) {
    for (const std::string_view key :
         {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=A",
          "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25jZQ==AAAA"}) {
        UpgradeHeaders headers = good();
        headers.key = key;
        EXPECT_EQ(status_of(headers), 400) << key;
    }
}

TEST(WebSocketHandshake, SubprotocolIsTheClientsFirstThatIsSpoken) {
    constexpr std::array<std::string_view, 3> kSpoken{"v12.stomp", "v11.stomp", "v10.stomp"};
    EXPECT_EQ(choose_subprotocol("mqtt, v11.stomp ,v12.stomp", kSpoken), "v11.stomp");
    EXPECT_EQ(choose_subprotocol("V12.STOMP,mqtt", kSpoken), "");
    EXPECT_EQ(choose_subprotocol("", kSpoken), "");
}

}  // namespace
}  // namespace parley::wire
