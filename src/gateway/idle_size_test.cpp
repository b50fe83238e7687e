#include <gtest/gtest.h>

#include "gateway/stomp_session.h"
#include "gateway/stomp_subscription.h"
#include "gateway/ws_apps.h"
#include "gateway/ws_session.h"

namespace parley::gateway {
namespace {

// What each idle subscribed client pays for, in bytes of the allocator's size classes. Who adds a member here asks
// first whether it could wait behind a pointer until it is needed.
TEST(IdleSize, ASessionThatOnlyListens) { EXPECT_LE(sizeof(StompSession), 360U); }
TEST(IdleSize, ASubscriptionToARoom) { EXPECT_LE(sizeof(StompSubscription), 72U); }
TEST(IdleSize, AWebSocketAndWhatSpeaksInIt) {
    EXPECT_LE(sizeof(WsSession), 88U);
    EXPECT_LE(sizeof(LinkWsApp), 40U);
}
TEST(IdleSize, ADecoderAtRest) {
    EXPECT_LE(sizeof(wire::WebSocketDecoder), 32U);
    EXPECT_LE(sizeof(wire::StompDecoder), 24U);
}
TEST(IdleSize, AConnection) { EXPECT_LE(sizeof(rt::Connection), 160U); }

}  // namespace
}  // namespace parley::gateway
