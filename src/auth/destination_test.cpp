#include "auth/destination.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

using enum DestinationKind;

DestinationKind kind(Profile profile, std::string_view text) { return parse_destination(profile, text).kind; }

TEST(Destination, KnowsTheGameProfile) {
    EXPECT_EQ(kind(Profile::kGame, "/sub/chat/room/r-42"), kRoom);
    EXPECT_EQ(parse_destination(Profile::kGame, "/sub/chat/room/r-42").room.str(), "r-42");
    EXPECT_EQ(kind(Profile::kGame, "/sub/chat/room/r-42/events"), kRoomEvents);
    EXPECT_EQ(parse_destination(Profile::kGame, "/sub/chat/room/r-42/events").room.str(), "r-42");
    EXPECT_EQ(kind(Profile::kGame, "/user/queue/errors"), kErrors);
    EXPECT_EQ(kind(Profile::kGame, "/user/queue/notifications"), kNotifications);
    EXPECT_EQ(kind(Profile::kGame, "/pub/chat/send"), kChatSend);
    EXPECT_EQ(kind(Profile::kGame, "/pub/chat/typing"), kTyping);
    EXPECT_EQ(kind(Profile::kGame, "/pub/chat/read"), kReadMark);
    EXPECT_EQ(kind(Profile::kGame, "/pub/auth/refresh"), kAuthRefresh);
}

TEST(Destination, KnowsThePublicAndTheBrokerProfile) {
    EXPECT_EQ(kind(Profile::kPublic, "/topic/public"), kRoom);
    EXPECT_EQ(parse_destination(Profile::kPublic, "/topic/public").room, public_room());
    EXPECT_EQ(kind(Profile::kPublic, "/app/chat.sendMessage"), kPublicSend);
    EXPECT_EQ(parse_destination(Profile::kPublic, "/app/chat.sendMessage").room, public_room());
    EXPECT_EQ(kind(Profile::kBroker, "/topic/a/b c"), kTopic);
    EXPECT_EQ(kind(Profile::kBroker, "/topic/"), kUnknown);
    EXPECT_EQ(kind(Profile::kBroker, "/queue/a"), kUnknown);
}

TEST(Destination, IsSeparatePerProfile) {
    EXPECT_EQ(kind(Profile::kPublic, "/sub/chat/room/r-42"), kUnknown);
    EXPECT_EQ(kind(Profile::kPublic, "/pub/chat/send"), kUnknown);
    EXPECT_EQ(kind(Profile::kGame, "/topic/public"), kUnknown);
    EXPECT_EQ(kind(Profile::kGame, "/app/chat.sendMessage"), kUnknown);
    EXPECT_EQ(kind(Profile::kBroker, "/user/queue/errors"), kUnknown);
}

TEST(Destination, TakesNothingThatOnlyLooksLikeOne) {
    for (const char* text : {"", "/", "/sub", "/sub/", "/sub/chat/room", "/sub/chat", "/SUB/chat/room/r", "/user",
                             "/user/queue/errors/", "/user/queue/other", "/user/u-2/queue/errors", "/pub/chat/send/",
                             "sub/chat/room/r", "/sub/aichat/room/r", "//sub/chat/room/r", "/pub/chat/send?x"}) {
        EXPECT_EQ(kind(Profile::kGame, text), kUnknown) << text;
    }
}

TEST(Destination, MarksRoomIdsThatAClientMayNotUse) {
    for (const char* text : {"/sub/chat/room/", "/sub/chat/room/~dm:1", "/sub/chat/room/a b", "/sub/chat/room/a/b",
                             "/sub/chat/room//events", "/sub/chat/room/r/events/events", "/sub/chat/room/%72"}) {
        EXPECT_TRUE(parse_destination(Profile::kGame, text).bad_room) << text;
    }
    EXPECT_TRUE(parse_destination(Profile::kGame, "/sub/chat/room/" + std::string(121, 'r')).bad_room);
    EXPECT_FALSE(parse_destination(Profile::kGame, "/sub/chat/room/" + std::string(120, 'r')).bad_room);
}

TEST(Destination, SeesTheBrokerPrefix) {
    for (const char* text :
         {"/sub", "/sub/x", "/sub/chat/room/r", "/sub/chat/room/~", "/user/queue", "/user/queue/x"}) {
        EXPECT_TRUE(parse_destination(Profile::kGame, text).broker_prefix) << text;
    }
    EXPECT_FALSE(parse_destination(Profile::kGame, "/subway").broker_prefix);
    EXPECT_FALSE(parse_destination(Profile::kGame, "/pub/chat/send").broker_prefix);
    EXPECT_TRUE(parse_destination(Profile::kPublic, "/topic/x").broker_prefix);
    EXPECT_FALSE(parse_destination(Profile::kBroker, "/topic/x").broker_prefix);
}

}  // namespace
}  // namespace parley::auth
