#include "base/room_change.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

using Kind = RoomChange::Kind;

TEST(RoomChange, ComesBackAsItWasWritten) {
    for (const Kind kind : {Kind::kInvited, Kind::kJoined, Kind::kLeft, Kind::kKicked}) {
        for (const char* member : {"u-9", R"(a"b\c",)", R"(\\)"}) {
            const auto parsed = parse_room_change(to_extra({kind, MemberId::trusted(member)}));
            ASSERT_TRUE(parsed);
            EXPECT_EQ(parsed->kind, kind);
            EXPECT_EQ(parsed->member.str(), member);
        }
    }
    for (const Kind kind : {Kind::kMadePrivate, Kind::kMadePublic}) {
        const auto parsed = parse_room_change(to_extra({kind, {}}));
        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->kind, kind);
        EXPECT_TRUE(parsed->member.empty());
    }
}

TEST(RoomChange, WritesTheDocumentedMembers) {
    EXPECT_EQ(to_extra({Kind::kKicked, MemberId::trusted("u-9")}), R"("event":"KICKED","memberId":"u-9")");
}

TEST(RoomChange, OtherExtrasAreNone) {
    for (const char* extra :
         {"", R"("receiverId":"u-9")", R"("event":"DANCED")", R"("event":"KICKED)", R"("event":")"}) {
        EXPECT_FALSE(parse_room_change(extra)) << extra;
    }
}

}  // namespace
}  // namespace parley
