#include "worker/notification.h"

#include "store/empty_directory.h"
#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

using store::Standing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Members final : public store::EmptyDirectory {
public:
    Result<std::vector<store::Membership>> members(const RoomId&, const MemberId& after, std::size_t limit) override {
        ++asked;
        std::vector<store::Membership> out;
        for (const auto& member : all) {
            if (member.member > after && out.size() < limit) out.push_back(member);
        }
        return out;
    }
    std::vector<store::Membership> all;
    int asked = 0;
};

class NotificationTest : public testing::Test {
protected:
    NotificationTest() {
        add("u-1", "앨리스");
        add("u-2", "bob");
    }
    void add(const std::string& id, const std::string& nickname, Standing standing = Standing::kMember,
             std::uint64_t since = 0) {
        members.all.push_back({MemberId::trusted(id), nickname, standing, {since}});
    }
    Result<> take(const std::string& content, const std::string& sender = "u-9") {
        return work->take(*log.add("r", content, sender));
    }

    ManualClock clock;
    MemoryLog log{clock};
    Members members;
    std::vector<Named> present;
    std::vector<std::string> told;
    std::vector<NotificationRole::Notification> notifications;
    Result<> answer;
    NotificationRole role{members, clock, [this](const RoomId&) { return present; },
                          [this](const NotificationRole::Notification& notification, auto done) {
                              told.push_back(notification.member.str());
                              notifications.push_back(notification);
                              done(answer);
                          }};
    std::unique_ptr<RoomWork> work = role.open(RoomId::trusted("r"), {});
};

TEST_F(NotificationTest, WhoIsMentionedIsToldWhoSaidWhatWhere) {
    ASSERT_TRUE(take("hi @bob"));
    EXPECT_THAT(told, ElementsAre("u-2"));
    EXPECT_EQ(
        notifications.front().json,
        R"({"notification":"mention","roomId":"r","seq":1,"messageId":"r-1","memberId":"u-9","nickName":"nick of u-9",)"
        R"("content":"hi @bob","createdAt":")" +
            format_iso(clock.wall()) + R"("})");
}

TEST_F(NotificationTest, TheKeyIsTheMessagesSoThatARepeatIsKnown) {
    const auto message = log.add("r", "@bob", "u-9");
    ASSERT_TRUE(work->take(*message));
    ASSERT_TRUE(role.open(RoomId::trusted("r"), {})->take(*message));
    ASSERT_TRUE(take("@bob"));
    EXPECT_EQ(notifications[0].key, notifications[1].key);
    EXPECT_NE(notifications[0].key, notifications[2].key);
}

TEST_F(NotificationTest, TheSenderIsNotToldOfThemselves) {
    ASSERT_TRUE(take("@bob and @앨리스", "u-1"));
    EXPECT_THAT(told, ElementsAre("u-2"));
}

TEST_F(NotificationTest, TheInvitedTheRemovedAndWhoCameLaterAreNotTold) {
    add("u-3", "carol", Standing::kInvited);
    add("u-4", "dave", Standing::kKicked);
    add("u-5", "erin", Standing::kMember, 2);
    add("u-6", "frank", Standing::kOwner);
    ASSERT_TRUE(take("@carol @dave @erin @frank"));
    EXPECT_THAT(told, ElementsAre("u-6"));
    log.add("r", "x");
    ASSERT_TRUE(take("@erin"));
    EXPECT_THAT(told, ElementsAre("u-6", "u-5"));
}

TEST_F(NotificationTest, WhoIsInTheRoomNowIsToldOnceButGuestsHaveNoNotifications) {
    present = {{MemberId::trusted("u-7"), "gina"},
               {MemberId::trusted("u-2"), "bob"},
               {MemberId::trusted("~guest:1"), "henry"}};
    ASSERT_TRUE(take("@gina @bob @henry"));
    EXPECT_THAT(told, ElementsAre("u-2", "u-7"));
    const auto old = log.add("r", "@gina", "u-9");
    clock.advance(milliseconds{120'000});
    ASSERT_TRUE(work->take(*old));
    EXPECT_EQ(told.size(), 2U);
}

TEST_F(NotificationTest, WithoutAnAtNobodyIsAskedFor) {
    ASSERT_TRUE(take("bob"));
    EXPECT_EQ(members.asked, 0);
    ASSERT_TRUE(take("@bob"));
    ASSERT_TRUE(take("@bob"));
    EXPECT_EQ(members.asked, 1);
    clock.advance(milliseconds{1'000});
    ASSERT_TRUE(take("@bob"));
    EXPECT_EQ(members.asked, 2);
}

TEST_F(NotificationTest, WhoHasJustBecomeAMemberIsKnown) {
    ASSERT_TRUE(take("@carol"));
    Message joined;
    joined.type = MessageType::kSystem;
    joined.created_at = clock.wall();
    ASSERT_TRUE(work->take(joined));
    ASSERT_TRUE(take("@carol"));
    EXPECT_THAT(told, IsEmpty());
    add("u-3", "carol");  // the directory is a little behind the log
    ASSERT_TRUE(take("@carol"));
    EXPECT_THAT(told, ElementsAre("u-3"));
}

TEST_F(NotificationTest, WhatIsOlderThanADayTellsNobody) {
    const auto old = log.add("r", "@bob", "u-9");
    clock.advance(milliseconds{25 * 3'600'000});
    ASSERT_TRUE(work->take(*old));
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(NotificationTest, WhatWasNotStoredIsAFailure) {
    answer = fail(Code::kStoreUnavailable, "away");
    const auto taken = take("@bob @앨리스");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Code::kStoreUnavailable);
    EXPECT_EQ(told.size(), 2U);
}

TEST_F(NotificationTest, ALongMessageIsToldByItsBeginningInWholeCharacters) {
    std::string content = "@bob ";
    for (int i = 0; i < 300; ++i) content += "가";
    ASSERT_TRUE(take(content));
    EXPECT_THAT(notifications.front().json, HasSubstr("가…\""));
    EXPECT_LT(notifications.front().json.size(), 700U);
}

}  // namespace
}  // namespace parley::worker
