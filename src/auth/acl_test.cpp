#include "auth/acl.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

using store::Membership;
using store::RoomInfo;
using store::RoomKind;
using store::Standing;
using store::Visibility;
using enum Operation;

const RoomId kRoom = RoomId::trusted("r-1");
const Who kMember{.member = MemberId::trusted("u-7")};
const Who kGuest{.member = MemberId::trusted("~guest:1"), .guest = true};
constexpr std::array kEvery{kHandshake,       kSubscribe, kSend,    kEnter,   kPresence,
                            kTyping,          kReadMark,  kHistory, kSeeRoom, kSeeMembers,
                            Operation::kJoin, kLeave,     kInvite,  kKick,    kConfigure};

RoomInfo room(Visibility visibility, RoomKind kind = RoomKind::kChat) {
    return {kRoom, "", kind, visibility, MemberId::trusted("u-1"), {}};
}
std::optional<Membership> as(Standing standing) { return Membership{kMember.member, "", standing, RoomSeq{1}}; }

Question about_room(Operation operation, std::optional<RoomInfo> info, std::optional<Membership> membership = {}) {
    return {.operation = operation,
            .destination = of_room(kRoom),
            .who = kMember,
            .room = std::move(info),
            .membership = std::move(membership)};
}

/// The operations that are allowed, as one word each has a letter for: the order of kEvery.
std::string allowed(const std::optional<RoomInfo>& info, const std::optional<Membership>& membership = {},
                    bool auto_create = true) {
    static constexpr std::string_view kLetters = "HsSeptrhRMjlikc";
    std::string out;
    for (std::size_t i = 0; i < kEvery.size(); ++i) {
        Question question = about_room(kEvery[i], info, membership);
        question.auto_create = auto_create;
        if (decide(question).allowed) out += kLetters[i];
    }
    return out;
}

Decision at(Profile profile, Operation operation, std::string_view text, const Who& who = kMember) {
    return decide(
        {.profile = profile, .operation = operation, .destination = parse_destination(profile, text), .who = who});
}

TEST(Acl, APublicRoomIsOpenWithoutMembership) {
    EXPECT_EQ(allowed(room(Visibility::kPublic)), "HsSeptrhRMjl");
    EXPECT_EQ(allowed(room(Visibility::kPublic), as(Standing::kMember)), "HsSeptrhRMjl");
    EXPECT_EQ(allowed(room(Visibility::kPublic), as(Standing::kOwner)), "HsSeptrhRMjlikc");
}

TEST(Acl, APrivateRoomIsForItsMembers) {
    EXPECT_EQ(allowed(room(Visibility::kPrivate), as(Standing::kMember)), "HsSeptrhRMjl");
    EXPECT_EQ(allowed(room(Visibility::kPrivate), as(Standing::kOwner)), "HsSeptrhRMjlikc");
    EXPECT_EQ(allowed(room(Visibility::kPrivate), as(Standing::kInvited)), "Rjl");
    EXPECT_EQ(allowed(room(Visibility::kPrivate), as(Standing::kKicked)), "");
    EXPECT_EQ(allowed(room(Visibility::kPrivate)), "");
}

TEST(Acl, APrivateRoomOfOthersReadsLikeAnUnknownOne) {
    for (const Operation operation : kEvery) {
        Question unknown = about_room(operation, std::nullopt);
        unknown.auto_create = false;
        const Decision nothing = decide(unknown);
        const Decision hidden = decide(about_room(operation, room(Visibility::kPrivate)));
        ASSERT_FALSE(nothing.allowed || hidden.allowed);
        EXPECT_EQ(hidden.code, Code::kRoomNotFound);
        EXPECT_EQ(hidden.code, nothing.code);
        EXPECT_EQ(hidden.to_result().error().message, nothing.to_result().error().message);
    }
}

TEST(Acl, AnUnknownRoomIsAPublicOneThatSendJoinAndPostMake) {
    EXPECT_EQ(allowed(std::nullopt), "HsSeptrhMj");
    EXPECT_EQ(allowed(std::nullopt, {}, false), "");
    for (const Operation operation : kEvery) {
        const bool makes = operation == kSend || operation == kEnter || operation == Operation::kJoin;
        EXPECT_EQ(decide(about_room(operation, std::nullopt)).creates_room, makes);
        EXPECT_FALSE(decide(about_room(operation, room(Visibility::kPublic))).creates_room);
    }
}

TEST(Acl, AKickedMemberStaysOutOfAPublicRoomToo) {
    EXPECT_EQ(allowed(room(Visibility::kPublic), as(Standing::kKicked)), "l");
    EXPECT_EQ(decide(about_room(kSubscribe, room(Visibility::kPublic), as(Standing::kKicked))).code, Code::kForbidden);
    EXPECT_EQ(allowed(room(Visibility::kPublic), as(Standing::kInvited)), "HsSeptrhRMjl") << "invited again";
}

TEST(Acl, APairRoomIsForItsTwo) {
    EXPECT_EQ(allowed(room(Visibility::kPrivate, RoomKind::kPair), as(Standing::kMember)), "sStrhR");
    EXPECT_EQ(allowed(room(Visibility::kPublic, RoomKind::kPair)), "");
    EXPECT_EQ(decide(about_room(kHistory, room(Visibility::kPublic, RoomKind::kPair))).code, Code::kRoomNotFound);
}

TEST(Acl, OperationsNameTheKindsTheyTake) {
    EXPECT_EQ(allowed(room(Visibility::kPublic, RoomKind::kAi)), "hRM");
    EXPECT_EQ(allowed(room(Visibility::kPublic, RoomKind::kTopic)), "HsSrhR");
    EXPECT_EQ(decide(about_room(kSend, room(Visibility::kPublic, RoomKind::kAi))).code, Code::kForbidden);
}

TEST(Acl, AnUnknownServerRoomDoesNotComeToBe) {
    Question question = about_room(kSend, std::nullopt);
    question.destination = of_room(RoomId::trusted("~dm:1"));
    EXPECT_EQ(decide(question).code, Code::kRoomNotFound);
}

TEST(Acl, OnlyTheOwnerInvitesKicksAndConfigures) {
    for (const Operation operation : {kInvite, kKick, kConfigure}) {
        const Decision member = decide(about_room(operation, room(Visibility::kPrivate), as(Standing::kMember)));
        EXPECT_FALSE(member.allowed);
        EXPECT_EQ(member.code, Code::kForbidden);
    }
}

TEST(Acl, SubscribingIsDeniedExceptToKnownDestinations) {
    for (const char* text :
         {"/sub/chat/room/r-1", "/sub/chat/room/r-1/events", "/user/queue/errors", "/user/queue/notifications"}) {
        EXPECT_TRUE(at(Profile::kGame, kSubscribe, text).allowed) << text;
    }
    for (const char* text :
         {"/sub", "/sub/*", "/sub/chat/**", "/sub/aichat/room/r-1", "/sub/other", "/user/queue/x",
          "/user/u-2/queue/errors", "/topic/public", "/pub/chat/send", "/pub/auth/refresh", "", "/"}) {
        const Decision decision = at(Profile::kGame, kSubscribe, text);
        EXPECT_FALSE(decision.allowed) << text;
        EXPECT_EQ(decision.code, Code::kNotFound) << text;
    }
    EXPECT_EQ(at(Profile::kGame, kSubscribe, "/sub/chat/room/~dm:1").code, Code::kRoomNotFound);
}

TEST(Acl, SendingUnderABrokerPrefixIsRefused) {
    for (const char* text : {"/sub/chat/room/r-1", "/sub/x", "/user/queue/errors", "/user/queue/x"}) {
        const Decision decision = at(Profile::kGame, kSend, text);
        EXPECT_FALSE(decision.allowed) << text;
        EXPECT_EQ(decision.code, Code::kForbidden) << text;
    }
    EXPECT_EQ(at(Profile::kPublic, kSend, "/topic/public").code, Code::kForbidden);
}

TEST(Acl, SendingIsDeniedExceptToKnownDestinations) {
    for (const char* text : {"/pub/chat/send", "/pub/chat/typing", "/pub/chat/read", "/pub/auth/refresh"}) {
        EXPECT_TRUE(at(Profile::kGame, kSend, text).allowed) << text;
        EXPECT_FALSE(at(Profile::kGame, kSend, text).creates_room) << text;
    }
    for (const char* text : {"/pub", "/pub/chat", "/pub/aichat/send", "/app/chat.sendMessage", "", "/"}) {
        EXPECT_EQ(at(Profile::kGame, kSend, text).code, Code::kNotFound) << text;
    }
}

TEST(Acl, AGuestReachesThePublicTopicAndNothingElse) {
    EXPECT_TRUE(at(Profile::kPublic, kSubscribe, "/topic/public", kGuest).allowed);
    EXPECT_TRUE(at(Profile::kPublic, kSend, "/app/chat.sendMessage", kGuest).allowed);
    EXPECT_TRUE(at(Profile::kPublic, kSubscribe, "/user/queue/errors", kGuest).allowed);
    EXPECT_FALSE(at(Profile::kPublic, kSubscribe, "/topic/other", kGuest).allowed);
    EXPECT_EQ(at(Profile::kGame, kSubscribe, "/sub/chat/room/r-1", kGuest).code, Code::kForbidden);
    EXPECT_EQ(at(Profile::kGame, kSend, "/pub/chat/send", kGuest).code, Code::kForbidden);
    Question history = about_room(kHistory, room(Visibility::kPublic));
    history.who = kGuest;
    EXPECT_EQ(decide(history).code, Code::kForbidden);
}

TEST(Acl, ThePublicTopicIsThereWithoutAutoCreate) {
    Question question{.profile = Profile::kPublic,
                      .operation = kSend,
                      .destination = parse_destination(Profile::kPublic, "/app/chat.sendMessage"),
                      .who = kGuest,
                      .auto_create = false};
    EXPECT_TRUE(decide(question).allowed);
}

TEST(Acl, TheBrokerProfilePassesTopicsThrough) {
    EXPECT_TRUE(at(Profile::kBroker, kSend, "/topic/any/thing").allowed);
    EXPECT_TRUE(at(Profile::kBroker, kSubscribe, "/topic/any/thing").allowed);
    EXPECT_FALSE(at(Profile::kBroker, kSend, "/queue/x").allowed);
    EXPECT_FALSE(at(Profile::kBroker, kSubscribe, "/sub/chat/room/r-1").allowed);
}

TEST(Acl, EveryDecisionSaysWhy) {
    for (const Operation operation : kEvery) {
        for (const auto& info : {std::optional<RoomInfo>{}, std::optional{room(Visibility::kPrivate)}}) {
            EXPECT_FALSE(decide(about_room(operation, info)).rule.empty());
        }
    }
    EXPECT_TRUE(decide(about_room(kSend, std::nullopt)).to_result());
}

}  // namespace
}  // namespace parley::auth
