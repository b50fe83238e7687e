#include "adapters/kafka/table_progress.h"

#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

constexpr milliseconds kPatience{5'000};
constexpr SteadyTime at(int ms) { return SteadyTime{} + milliseconds{ms}; }

TEST(TableProgress, StandsStillWhereAPositionInFrontOfSomethingIsTheSameForSoLong) {
    TableProgress table{2, kPatience};
    table.see(0, 7, true, at(0));
    table.see(1, 9, false, at(0));
    EXPECT_FALSE(table.stands_still(at(4'999)));
    table.see(0, 7, true, at(5'000));
    EXPECT_TRUE(table.stands_still(at(5'000)));
    table.see(0, 8, true, at(5'500));
    EXPECT_FALSE(table.stands_still(at(5'500)));
    EXPECT_TRUE(table.stands_still(at(10'500)));
    table.see(0, 12, false, at(11'000));
    EXPECT_FALSE(table.stands_still(at(60'000)));
}

TEST(TableProgress, CountsFromWhenThereIsSomethingToStore) {
    TableProgress table{1, kPatience};
    table.see(0, 7, false, at(0));
    table.see(0, 7, true, at(60'000));
    EXPECT_FALSE(table.stands_still(at(64'999)));
    EXPECT_TRUE(table.stands_still(at(65'000)));
}

TEST(TableProgress, OneThatMovesDoesNotHideOneThatDoesNot) {
    TableProgress table{2, kPatience};
    for (int second = 0; second <= 5; ++second) {
        table.see(0, 7, true, at(second * 1'000));
        table.see(1, 10 + static_cast<std::uint64_t>(second), true, at(second * 1'000));
    }
    EXPECT_TRUE(table.stands_still(at(5'000)));
}

TEST(TableProgress, ATableThatDidNotAnswerGetsItsTimeAgain) {
    TableProgress table{1, kPatience};
    table.see(0, 7, true, at(0));
    table.lose_sight();
    EXPECT_FALSE(table.stands_still(at(20'000)));
    table.see(0, 7, true, at(20'000));
    EXPECT_FALSE(table.stands_still(at(24'999)));
    EXPECT_TRUE(table.stands_still(at(25'000)));
}

}  // namespace
}  // namespace parley::kafka
