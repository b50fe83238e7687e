#include "base/ids.h"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

TEST(Ids, RoomIdsHoldLettersDigitsAndThreeSigns) {
    EXPECT_TRUE(RoomId::parse("r-42"));
    EXPECT_TRUE(RoomId::parse("A.z_0-"));
    EXPECT_TRUE(RoomId::parse(std::string(120, 'x')));
    for (const auto& text : {std::string{}, std::string(121, 'x'), std::string{"a b"}, std::string{"a/b"},
                             std::string{"방"}, std::string{"a\0b", 3}, std::string{"a:b"}, std::string{"a*"}}) {
        EXPECT_FALSE(RoomId::parse(text)) << text;
    }
}

TEST(Ids, MemberAndMessageIdsAreVisibleAscii) {
    EXPECT_TRUE(MemberId::parse("u-7"));
    EXPECT_TRUE(MemberId::parse("a@b/c:d\"\\{}"));
    EXPECT_TRUE(MessageId::parse(std::string(64, '!')));
    for (const auto& text : {std::string{}, std::string(65, 'x'), std::string{"a b"}, std::string{"\x7f"},
                             std::string{"é"}, std::string{"a\n"}}) {
        EXPECT_FALSE(MemberId::parse(text)) << text;
        EXPECT_FALSE(MessageId::parse(text)) << text;
    }
}

TEST(Ids, TheServersOwnAreRefusedFromClients) {
    EXPECT_FALSE(RoomId::parse("~probe"));
    EXPECT_FALSE(MemberId::parse("~guest:1"));
    EXPECT_FALSE(MessageId::parse("~1"));
    EXPECT_TRUE(RoomId::trusted("~probe").is_server_own());
    EXPECT_FALSE(RoomId::trusted("a~").is_server_own());
    EXPECT_TRUE(RoomId{}.empty());
}

TEST(Ids, RefusalSaysWhichRule) {
    EXPECT_EQ(RoomId::parse("a b").error().code, Code::kInvalidPayload);
    EXPECT_NE(RoomId::parse("a b").error().message.find("A-Z a-z 0-9"), std::string::npos);
}

}  // namespace
}  // namespace parley
