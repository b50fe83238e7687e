#include "adapters/kafka/partition_faults.h"

#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

constexpr SteadyTime kStart{};
constexpr SteadyTime at(int ms) { return kStart + milliseconds{ms}; }

TEST(PartitionFaults, HoldUpOnlyWhoSendsToThePartition) {
    PartitionFaults faults{3};
    EXPECT_FALSE(faults.begin(1, "away", kStart).empty());
    EXPECT_TRUE(faults.any());
    EXPECT_TRUE(faults.is_faulty(1));
    EXPECT_FALSE(faults.is_faulty(0));
    EXPECT_FALSE(faults.may_try(1, at(199)));
    for (const int now : {0, 1, 2}) {
        EXPECT_TRUE(faults.may_try(0, at(now)));
        EXPECT_TRUE(faults.may_try(2, at(now)));
    }
}

TEST(PartitionFaults, LetOneTryThroughIn200Ms) {
    PartitionFaults faults{1};
    (void)faults.begin(0, "away", kStart);
    EXPECT_TRUE(faults.may_try(0, at(200)));
    EXPECT_FALSE(faults.may_try(0, at(399)));
    EXPECT_TRUE(faults.may_try(0, at(400)));
}

TEST(PartitionFaults, EndWithARecordOfTheirOwnPartition) {
    PartitionFaults faults{2};
    (void)faults.begin(0, "away", kStart);
    (void)faults.begin(1, "away", kStart);
    EXPECT_FALSE(faults.end(0));
    EXPECT_FALSE(faults.end(0));
    EXPECT_TRUE(faults.any());
    EXPECT_TRUE(faults.may_try(0, kStart));
    EXPECT_TRUE(faults.end(1));
    EXPECT_FALSE(faults.any());
}

TEST(PartitionFaults, SayWhatIsNewAndNoMore) {
    PartitionFaults faults{3};
    EXPECT_EQ(faults.begin(2, "away", kStart), "away (partition 2 first)");
    EXPECT_EQ(faults.begin(0, "away", kStart), "");
    EXPECT_EQ(faults.begin(0, "too few replicas", kStart), "too few replicas (partition 0 first)");
    EXPECT_FALSE(faults.end(0));
    EXPECT_TRUE(faults.end(2));
    EXPECT_NE(faults.begin(2, "too few replicas", kStart), "");
}

TEST(PartitionFaults, NameWhatNobodyHasTriedForASecond) {
    PartitionFaults faults{2};
    EXPECT_EQ(faults.untried(at(5'000)), std::nullopt);
    (void)faults.begin(1, "away", kStart);
    EXPECT_EQ(faults.untried(at(999)), std::nullopt);
    EXPECT_EQ(faults.untried(at(1'000)), 1U);
    EXPECT_EQ(faults.untried(at(1'999)), std::nullopt);
    EXPECT_TRUE(faults.may_try(1, at(1'500)));
    EXPECT_EQ(faults.untried(at(2'499)), std::nullopt);
    EXPECT_EQ(faults.untried(at(2'500)), 1U);
}

}  // namespace
}  // namespace parley::kafka
