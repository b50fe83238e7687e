#include "gateway/online.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

const MemberId kMember = MemberId::trusted("u-1");
constexpr SteadyTime kStart{std::chrono::hours{1}};

TEST(Online, TheFirstSessionBringsAMemberOnlineAndNoOther) {
    Online online;
    EXPECT_TRUE(online.arrive(kMember));
    EXPECT_FALSE(online.arrive(kMember));
    EXPECT_TRUE(online.arrive(MemberId::trusted("u-2")));
}

TEST(Online, WhoComesBackWithinTheGraceWasNeverAway) {
    Online online;
    online.arrive(kMember);
    online.leave(kMember, kStart);
    online.sweep(kStart + seconds{14});
    EXPECT_FALSE(online.arrive(kMember));
    online.sweep(kStart + seconds{16});
    EXPECT_FALSE(online.arrive(kMember));
}

TEST(Online, AfterTheGraceTheyComeAnew) {
    Online online;
    online.arrive(kMember);
    online.leave(kMember, kStart);
    online.sweep(kStart + seconds{15});
    EXPECT_EQ(online.members(), 0U);
    EXPECT_TRUE(online.arrive(kMember));
}

TEST(Online, TheGraceCountsFromTheLastLeaving) {
    Online online;
    online.arrive(kMember);
    online.leave(kMember, kStart);
    online.arrive(kMember);
    online.leave(kMember, kStart + seconds{10});
    online.sweep(kStart + seconds{16});
    EXPECT_FALSE(online.arrive(kMember));
}

TEST(Online, OneOfSeveralSessionsThatEndsChangesNothing) {
    Online online;
    online.arrive(kMember);
    online.arrive(kMember);
    online.leave(kMember, kStart);
    online.sweep(kStart + seconds{60});
    EXPECT_EQ(online.members(), 1U);
    EXPECT_FALSE(online.arrive(kMember));
}

}  // namespace
}  // namespace parley::gateway
