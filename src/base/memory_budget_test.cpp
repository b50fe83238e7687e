#include "base/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "base/logger.h"
#include "base/memory_account.h"

namespace parley {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A budget of 160 MiB, so that a sixteenth is 10 MiB, in a process that has what the test says.
struct BudgetTest : ::testing::Test {
    void resident_is(Bytes bytes) {
        resident = bytes;
        budget.sample(clock.steady());
    }

    Bytes resident{0};
    Bytes freed_but_kept{0};
    int trims = 0;
    ManualClock clock;
    logger::Capture log;
    MemoryBudget budget{160_MiB,
                        {[this] { return Bytes{resident.count + freed_but_kept.count}; },
                         [this] {
                             ++trims;
                             freed_but_kept = Bytes{0};
                         }}};
};

TEST_F(BudgetTest, RefusesConnectionsFirstAndLetsSendersWaitLater) {
    resident_is(129_MiB);
    EXPECT_FALSE(budget.refuses_connections());
    resident_is(130_MiB);
    EXPECT_TRUE(budget.refuses_connections());
    EXPECT_FALSE(budget.is_full());
    resident_is(140_MiB);
    EXPECT_TRUE(budget.is_full());
}

TEST_F(BudgetTest, GoesOnOnlyWhenItIsWellBelow) {
    resident_is(150_MiB);
    resident_is(131_MiB);
    EXPECT_TRUE(budget.is_full());
    resident_is(129_MiB);
    EXPECT_FALSE(budget.is_full());
    EXPECT_TRUE(budget.refuses_connections());
    resident_is(119_MiB);
    EXPECT_FALSE(budget.refuses_connections());
}

TEST_F(BudgetTest, CountsBetweenSamplesWhatTheAccountGrew) {
    resident_is(129_MiB);
    memory::Charge charge{memory::Use::kFrames, (12_MiB).count};
    EXPECT_EQ(budget.used(), 141_MiB);
    EXPECT_TRUE(budget.is_full());
    charge = {};
    EXPECT_FALSE(budget.is_full());
}

TEST_F(BudgetTest, WhatTheAccountAndTheKernelBothSeeCountsOnce) {
    resident_is(50_MiB);
    const memory::Charge charge{memory::Use::kMessages, (20_MiB).count};
    resident_is(70_MiB);
    EXPECT_EQ(budget.used(), 70_MiB);
}

TEST_F(BudgetTest, ShrinksTheShareOfAConnectionAsItFills) {
    resident_is(79_MiB);
    EXPECT_EQ(budget.share(512_KiB), 512_KiB);
    resident_is(95_MiB);
    EXPECT_EQ(budget.share(512_KiB), 256_KiB);
    resident_is(149_MiB);
    EXPECT_EQ(budget.share(512_KiB), 8_KiB);
    resident_is(150_MiB);
    EXPECT_EQ(budget.share(512_KiB), 1_B);
    resident_is(79_MiB);
    EXPECT_EQ(budget.share(512_KiB), 512_KiB);
}

TEST_F(BudgetTest, SaysOnceWhenItBecomesFullAndOnceWhenItIsNot) {
    resident_is(150_MiB);
    EXPECT_THAT(log.text(), AllOf(HasSubstr("connections are refused"), HasSubstr("senders wait")));
    const std::size_t said = log.text().size();
    for (int i = 0; i < 3; ++i) resident_is(150_MiB);
    EXPECT_EQ(log.text().size(), said);
    resident_is(10_MiB);
    EXPECT_THAT(log.text(), AllOf(HasSubstr("connections are taken again"), HasSubstr("senders go on")));
}

TEST_F(BudgetTest, WhatWasFreedAndKeptIsGivenBackBeforeItCounts) {
    freed_but_kept = 100_MiB;
    resident_is(60_MiB);
    EXPECT_EQ(trims, 1);
    EXPECT_FALSE(budget.refuses_connections());
    EXPECT_EQ(log.text(), "");
}

TEST_F(BudgetTest, TrimsLessOftenWhereItDoesNotHelp) {
    for (int tenths = 0; tenths < 100; ++tenths) {
        resident_is(150_MiB);
        clock.advance(milliseconds{100});
    }
    EXPECT_EQ(trims, 3);  // after 0, 2 and 6 s
}

TEST_F(BudgetTest, IsWatchedMoreCloselyWhenHalfOfItIsUsed) {
    resident_is(70_MiB);
    EXPECT_EQ(budget.next_sample(), milliseconds{100});
    resident_is(81_MiB);
    EXPECT_EQ(budget.next_sample(), milliseconds{20});
}

TEST(MemoryAccount, AddsUpWhatThreadsTookAndGaveBackForEachOther) {
    const auto before = memory::total();
    memory::Charge charge{memory::Use::kMessages, (3_MiB).count};
    std::thread other{[charge = std::move(charge)]() mutable {
        const memory::Charge taken = std::move(charge);
        memory::take(memory::Use::kFrames, 100);
    }};
    other.join();
    EXPECT_EQ(memory::total(), before + 100);
    memory::give_back(memory::Use::kFrames, (1_MiB).count);
    EXPECT_EQ(memory::total(memory::Use::kFrames) - before + memory::total(memory::Use::kMessages),
              100 - static_cast<std::int64_t>((1_MiB).count));
    memory::take(memory::Use::kFrames, (1_MiB).count);
}

TEST(MemoryBudget, SeesWhatThisProcessReallyHas) {
    const auto source = MemoryBudget::of_this_process();
    const auto before = source.resident();
    const std::string held(32UL << 20, 'x');
    EXPECT_GT(source.resident().count, before.count + (30UL << 20));
    EXPECT_EQ(held.back(), 'x');
}

TEST(MemoryBudget, IsHalfOfAMachineByDefault) {
    EXPECT_GT(default_memory_budget(), 16_MiB);
    EXPECT_FALSE(MemoryBudget::unlimited().refuses_connections());
    EXPECT_EQ(MemoryBudget::unlimited().share(512_KiB), 512_KiB);
}

}  // namespace
}  // namespace parley
