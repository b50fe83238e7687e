#include "rt/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace parley::rt {
namespace {

constexpr SteadyTime kStart{seconds{3600}};

/// A timer that runs whatever the test says.
struct Alarm {
    Alarm() = default;
    explicit Alarm(std::function<void()> what) : ring(std::move(what)) {}
    std::function<void()> ring;
    Timer timer{Timer::of<&Alarm::on_time>(this)};
    void on_time() { ring(); }
};

class TimerWheelTest : public testing::Test {
protected:
    void arm(Alarm& which, milliseconds after) { wheel.arm(which.timer, now + after); }
    void pass(milliseconds time) {
        now += time;
        wheel.advance(now);
    }

    SteadyTime now = kStart;
    TimerWheel wheel{kStart};
    int rings = 0;
    Alarm alarm{[this] { ++rings; }};
};

TEST_F(TimerWheelTest, FiresOnceNeverEarlyAndWithinATickAfter) {
    arm(alarm, milliseconds{35});
    pass(milliseconds{34});
    EXPECT_EQ(rings, 0);
    pass(milliseconds{11});
    EXPECT_EQ(rings, 1);
    EXPECT_FALSE(alarm.timer.armed());
    pass(milliseconds{100'000});
    EXPECT_EQ(rings, 1);
}

TEST_F(TimerWheelTest, DeadlineBeyondATurnOfTheWheelWaitsForIt) {
    arm(alarm, seconds{90});
    for (int i = 0; i < 89; ++i) pass(seconds{1});
    EXPECT_EQ(rings, 0);
    pass(milliseconds{1010});
    EXPECT_EQ(rings, 1);
}

TEST_F(TimerWheelTest, OneLongSleepFiresEverythingThatBecameDue) {
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 200; ++i) {
        alarms.push_back(std::make_unique<Alarm>([this] { ++rings; }));
        arm(*alarms.back(), milliseconds{i * 700});
    }
    pass(std::chrono::hours{5});
    EXPECT_EQ(rings, 200);
}

TEST_F(TimerWheelTest, DeadlineInThePastFiresAtTheNextTick) {
    arm(alarm, milliseconds{-500});
    pass(milliseconds{0});
    EXPECT_EQ(rings, 0);
    pass(TimerWheel::kTick);
    EXPECT_EQ(rings, 1);
}

TEST_F(TimerWheelTest, ArmingAgainMovesTheDeadline) {
    arm(alarm, milliseconds{20});
    arm(alarm, milliseconds{200});
    pass(milliseconds{100});
    EXPECT_EQ(rings, 0);
    pass(milliseconds{120});
    EXPECT_EQ(rings, 1);
}

TEST_F(TimerWheelTest, CallbackMayArmItselfWithoutRunningForEver) {
    alarm.ring = [this] {
        ++rings;
        arm(alarm, milliseconds{0});
    };
    arm(alarm, milliseconds{10});
    pass(milliseconds{1000});
    EXPECT_EQ(rings, 1);
    pass(milliseconds{20});
    EXPECT_EQ(rings, 2);
}

TEST_F(TimerWheelTest, CallbackMayDestroyAnyTimerOfItsTickAndItself) {
    auto mine = std::make_unique<Alarm>();
    auto other = std::make_unique<Alarm>([this] { ++rings; });
    auto third = std::make_unique<Alarm>([this] { ++rings; });
    mine->ring = [&] {
        other.reset();
        third->timer.cancel();
        ++rings;
        mine.reset();
    };
    arm(*mine, milliseconds{10});
    arm(*other, milliseconds{10});
    arm(*third, milliseconds{10});
    pass(milliseconds{50});
    EXPECT_EQ(rings, 1);
    EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

TEST_F(TimerWheelTest, TimerMayOutliveTheWheel) {
    {
        TimerWheel short_lived{kStart};
        short_lived.arm(alarm.timer, kStart + seconds{1});
    }
    EXPECT_FALSE(alarm.timer.armed());
}

TEST_F(TimerWheelTest, NothingArmedMeansNoDeadline) {
    EXPECT_EQ(wheel.next_deadline(), std::nullopt);
    arm(alarm, seconds{10});
    EXPECT_NE(wheel.next_deadline(), std::nullopt);
    alarm.timer.cancel();
    EXPECT_EQ(wheel.next_deadline(), std::nullopt);
}

/// Against a plain list: never early, never more than a tick late, next_deadline() never too late to wake for it.
TEST_F(TimerWheelTest, BehavesAsASortedListWould) {
    for (const unsigned seed : {1u, 2u, 3u, 4u}) {
        std::mt19937 random{seed};
        struct Entry : Alarm {
            SteadyTime deadline;
            bool expected = false;
        };
        std::vector<Entry> entries(60);
        for (Entry& entry : entries) {
            entry.ring = [this, &entry] {
                EXPECT_TRUE(entry.expected);
                EXPECT_GE(now, entry.deadline);
                entry.expected = false;
            };
        }
        for (int step = 0; step < 5000; ++step) {
            Entry& entry = entries[random() % entries.size()];
            switch (random() % 4) {
                case 0:
                case 1:
                    entry.deadline = now + milliseconds{random() % (random() % 3 == 0 ? 120'000 : 300)};
                    entry.expected = true;
                    wheel.arm(entry.timer, entry.deadline);
                    break;
                case 2:
                    entry.timer.cancel();
                    entry.expected = false;
                    break;
                default: {
                    const auto wake = wheel.next_deadline();
                    pass(milliseconds{random() % (random() % 50 == 0 ? 200'000 : 40)});
                    if (wake && *wake > now) continue;
                }
            }
            for (const Entry& each : entries) {
                if (each.expected) {
                    EXPECT_LT(now, each.deadline + 2 * TimerWheel::kTick);
                    EXPECT_TRUE(each.timer.armed());
                    ASSERT_TRUE(wheel.next_deadline().has_value());
                    EXPECT_LE(*wheel.next_deadline(), std::max(now, each.deadline) + TimerWheel::kTick);
                }
            }
            ASSERT_FALSE(HasFailure()) << "seed " << seed << " step " << step;
        }
        for (Entry& entry : entries) entry.timer.cancel();
    }
}

}  // namespace
}  // namespace parley::rt
