#include "gateway/online.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

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

TEST(Online, ItsPartsAreAllOfThem) {
    Online online;
    std::set<std::uint64_t> expected;
    for (int i = 0; i < 1000; ++i) {
        const auto member = MemberId::trusted("u-" + std::to_string(i));
        online.arrive(member);
        expected.insert(Online::key(member));
    }
    std::multiset<std::uint64_t> parts;
    for (std::size_t number = 0; number < 10; ++number) {
        for (const std::uint64_t member : online.part(number, 10)) parts.insert(member);
    }
    EXPECT_TRUE(std::ranges::equal(parts, expected));
}

}  // namespace
}  // namespace parley::gateway
