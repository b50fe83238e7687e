#include "worker/lease.h"

#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

class LeaseTest : public testing::Test {
protected:
    ManualClock clock;
    MemoryLedger ledger;
    Lease one{ledger, "x/lease", "one", clock};
    Lease two{ledger, "x/lease", "two", clock};
};

TEST_F(LeaseTest, TheFirstHasItAndKeepsIt) {
    for (int i = 0; i < 40; ++i) {
        EXPECT_TRUE(one.hold());
        EXPECT_FALSE(two.hold());
        clock.advance(milliseconds{1'000});
    }
}

TEST_F(LeaseTest, WhoStopsAskingLosesItAfterItsTime) {
    ASSERT_TRUE(one.hold());
    clock.advance(Lease::kTime - milliseconds{1});
    EXPECT_FALSE(two.hold());
    clock.advance(Lease::kTime / 3);
    EXPECT_TRUE(two.hold());
    EXPECT_FALSE(one.hold());
}

TEST_F(LeaseTest, GivenBackItIsTheNextOnes) {
    ASSERT_TRUE(one.hold());
    one.give_back();
    EXPECT_TRUE(two.hold());
}

TEST_F(LeaseTest, WhileTheLedgerIsAwayWhoHasItKeepsItUntilItsTimeIsOver) {
    ASSERT_TRUE(one.hold());
    ledger.is_down = true;
    clock.advance(Lease::kTime - milliseconds{1});
    EXPECT_TRUE(one.hold());
    clock.advance(Lease::kTime / 3);
    EXPECT_FALSE(one.hold());
    ledger.is_down = false;
    clock.advance(Lease::kTime / 3);
    EXPECT_TRUE(one.hold());
}

TEST_F(LeaseTest, AClockThatWasWrongKeepsNobodyOut) {
    ASSERT_TRUE(ledger.put({{"x/lease", 0, "far 9999999999999999"}}));
    EXPECT_TRUE(one.hold());
}

}  // namespace
}  // namespace parley::worker
