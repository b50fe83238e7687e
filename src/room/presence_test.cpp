#include "room/presence.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace parley::room {
namespace {

class PresenceTest : public testing::Test {
protected:
    bool join(int session, const char* who = "u-1") { return presence.join(room, member(who), "앨리스", id(session)); }
    bool leave(int session, const char* who = "u-1") { return presence.leave(room, member(who), id(session)); }
    void lose(int session, const char* who = "u-1") { presence.disconnect(room, member(who), id(session), now); }
    std::size_t sweep_after(milliseconds time) {
        now += time;
        return presence.sweep(now).size();
    }
    [[nodiscard]] bool here(const char* who = "u-1") const { return presence.is_present(room, member(who)); }
    static MemberId member(const char* who) { return MemberId::trusted(who); }
    static Presence::SessionId id(int session) { return static_cast<Presence::SessionId>(session); }

    Presence presence{seconds{15}};
    RoomId room = RoomId::trusted("r-1");
    SteadyTime now{seconds{3600}};
};

TEST_F(PresenceTest, OnlyTheFirstOfAMembersJoinsMakesThemPresent) {
    EXPECT_TRUE(join(1));
    EXPECT_FALSE(join(1));
    EXPECT_FALSE(join(2));
    EXPECT_TRUE(join(3, "u-2"));
    EXPECT_EQ(presence.present(room).size(), 2u);
    EXPECT_EQ(presence.present(room)[0].nickname, "앨리스");
}

TEST_F(PresenceTest, OnlyTheLastStayOfAMemberEndsTheirPresence) {
    join(1);
    join(2);
    EXPECT_FALSE(leave(1));
    EXPECT_FALSE(leave(1));
    EXPECT_TRUE(here());
    EXPECT_TRUE(leave(2));
    EXPECT_FALSE(here());
}

TEST_F(PresenceTest, LeaveOfSomebodyWhoNeverJoinedIsNothing) {
    EXPECT_FALSE(leave(1));
    join(2, "u-2");
    EXPECT_FALSE(leave(1, "u-2"));
    EXPECT_TRUE(here("u-2"));
}

TEST_F(PresenceTest, LostConnectionMakesAbsentAfterTheGraceOnce) {
    join(1);
    lose(1);
    EXPECT_EQ(sweep_after(milliseconds{14'999}), 0u);
    EXPECT_TRUE(here());
    EXPECT_EQ(sweep_after(milliseconds{1}), 1u);
    EXPECT_FALSE(here());
    EXPECT_EQ(sweep_after(seconds{60}), 0u);
}

TEST_F(PresenceTest, ReturningWithinTheGraceIsNoEvent) {
    join(1);
    lose(1);
    sweep_after(seconds{10});
    EXPECT_FALSE(join(2));
    EXPECT_EQ(sweep_after(seconds{60}), 0u);
    EXPECT_TRUE(here());
    EXPECT_TRUE(leave(2));
}

TEST_F(PresenceTest, LosingAgainStartsTheGraceAnew) {
    join(1);
    lose(1);
    sweep_after(seconds{10});
    join(1);
    lose(1);
    EXPECT_EQ(sweep_after(seconds{10}), 0u);
    EXPECT_TRUE(here());
    EXPECT_EQ(sweep_after(seconds{6}), 1u);
}

TEST_F(PresenceTest, OneLostOfTwoSessionsChangesNothing) {
    join(1);
    join(2);
    lose(1);
    EXPECT_EQ(sweep_after(seconds{60}), 0u);
    EXPECT_TRUE(leave(2));
}

TEST_F(PresenceTest, OfManyJoinsAtOnceExactlyOneIsTheFirst) {
    std::atomic<int> first{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                if (presence.join(RoomId::trusted("r-" + std::to_string(i)), member("u-1"), "a", id(t))) ++first;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(first, 200);
}

}  // namespace
}  // namespace parley::room
