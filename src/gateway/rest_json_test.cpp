#include "gateway/rest_json.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

using store::Standing;
using store::Visibility;

store::RoomInfo room() {
    return {.id = RoomId::trusted("r-1"),
            .name = "주사위 \"방\"",
            .kind = store::RoomKind::kChat,
            .visibility = Visibility::kPrivate,
            .owner = MemberId::trusted("u-7"),
            .created_at = WallTime{milliseconds{0}}};
}

store::Membership standing(Standing standing) { return {MemberId::trusted("u-9"), "앨리스", standing, RoomSeq{3}}; }

TEST(RestJson, ARoomIsSeenWithTheAskersStanding) {
    EXPECT_EQ(
        room_json(room(), standing(Standing::kInvited), {Epoch{5}, RoomSeq{1}, RoomSeq{42}}),
        R"({"roomId":"r-1","name":"주사위 \"방\"","kind":"chat","visibility":"private","ownerId":"u-7",)"
        R"("createdAt":"1970-01-01T00:00:00.000Z","member":false,"standing":"invited","epoch":"5","headSeq":42})");
}

TEST(RestJson, AStrangerHasNoStanding) {
    EXPECT_EQ(room_json(room(), std::nullopt, {}).find("standing"), std::string::npos);
}

TEST(RestJson, MembersAndOwnersBelongTheInvitedAndTheKickedDoNot) {
    EXPECT_TRUE(belongs(standing(Standing::kMember)));
    EXPECT_TRUE(belongs(standing(Standing::kOwner)));
    EXPECT_FALSE(belongs(standing(Standing::kInvited)));
    EXPECT_FALSE(belongs(standing(Standing::kKicked)));
    EXPECT_FALSE(belongs(std::nullopt));
}

TEST(RestJson, VisibilityIsReadAsItIsWritten) {
    EXPECT_EQ(parse_visibility(name(Visibility::kPrivate)), Visibility::kPrivate);
    EXPECT_EQ(parse_visibility(name(Visibility::kPublic)), Visibility::kPublic);
    EXPECT_FALSE(parse_visibility("half"));
}

TEST(RestJson, TheEnvelopeIsWhatTheWebClientReads) {
    EXPECT_EQ(envelope(201, "OK", R"({"id":"u-1"})"),
              R"({"resultCode":"201-1","statusCode":201,"msg":"OK","data":{"id":"u-1"}})");
    EXPECT_EQ(refusal_envelope(409, Code::kNameTaken, "taken"),
              R"({"resultCode":"409-1","statusCode":409,"msg":"taken","data":null,"code":"MEMBER_NAME_TAKEN"})");
}

TEST(RestJson, AnInvalidPositionIsToldWithTheValidOnes) {
    const std::string json = position_invalid_json({Epoch{7}, RoomSeq{3}, RoomSeq{9}});
    EXPECT_NE(json.find(R"("code":"POSITION_INVALID")"), std::string::npos);
    EXPECT_NE(json.find(R"("epoch":"7","firstSeq":3,"headSeq":9)"), std::string::npos);
}

TEST(RestJson, NamesKeepWhatPeopleCanSee) {
    EXPECT_EQ(visible_name("앨리스 Kim 🎲", "name").value(), "앨리스 Kim 🎲");
    EXPECT_TRUE(visible_name(std::string(64, 'x'), "name"));
    std::string korean;
    for (int i = 0; i < 64; ++i) korean += "방";
    EXPECT_TRUE(visible_name(korean, "name"));
    EXPECT_FALSE(visible_name(korean + "방", "name"));
}

TEST(RestJson, NamesThatAreNotSeenAsTheyAreAreRefusedByWhatTheyAre) {
    for (const std::string_view text : {"", " ", " a", "a ", "a\nb", "a\u202eb", "a\x7f", "\u3000a"}) {
        const auto refused = visible_name(text, "nickName");
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, Code::kInvalidPayload);
        EXPECT_TRUE(refused.error().message.starts_with("nickName must be"));
    }
}

}  // namespace
}  // namespace parley::gateway
