#include "adapters/kafka/lag_alarm.h"

#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

using enum LagAlarm::Change;

TEST(LagAlarm, SaysOnceThatAReaderIsBehindAndOnceThatItIsOver) {
    LagAlarm alarm{100};
    EXPECT_EQ(alarm.see(99), kNone);
    EXPECT_EQ(alarm.see(100), kBehind);
    EXPECT_EQ(alarm.see(5'000), kNone);
    EXPECT_EQ(alarm.see(50), kOver);
    EXPECT_EQ(alarm.see(0), kNone);
}

TEST(LagAlarm, ALagThatGoesUpAndDownAtTheThresholdIsSaidOnce) {
    LagAlarm alarm{100};
    EXPECT_EQ(alarm.see(120), kBehind);
    for (const std::uint64_t lag : {90U, 110U, 51U, 100U}) EXPECT_EQ(alarm.see(lag), kNone) << lag;
}

TEST(LagAlarm, AThresholdOfOneIsOverAtNone) {
    LagAlarm alarm{1};
    EXPECT_EQ(alarm.see(1), kBehind);
    EXPECT_EQ(alarm.see(0), kOver);
}

TEST(LagAlarm, WithoutAThresholdNothingIsSaid) {
    LagAlarm alarm{0};
    EXPECT_EQ(alarm.see(UINT64_MAX), kNone);
    EXPECT_EQ(alarm.see(0), kNone);
}

}  // namespace
}  // namespace parley::kafka
