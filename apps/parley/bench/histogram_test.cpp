#include "bench/histogram.h"

#include <gtest/gtest.h>

namespace parley::bench {
namespace {
using std::chrono::microseconds;

TEST(Histogram, PercentilesAreWithinTwoPercentOfTheTruth) {
    Histogram histogram;
    for (int i = 1; i <= 100'000; ++i) histogram.add(microseconds{i});
    EXPECT_NEAR(histogram.percentile(0.5), 50, 1);
    EXPECT_NEAR(histogram.percentile(0.99), 99, 2);
    EXPECT_NEAR(histogram.percentile(0.999), 99.9, 2);
    EXPECT_EQ(histogram.max(), 100);
    EXPECT_EQ(histogram.count(), 100'000u);
}

TEST(Histogram, OneOutlierShowsInTheLastPercentileOnly) {
    Histogram histogram;
    for (int i = 0; i < 999; ++i) histogram.add(microseconds{10});
    histogram.add(std::chrono::seconds{3});
    EXPECT_EQ(histogram.percentile(0.99), 0.010);
    EXPECT_NEAR(histogram.percentile(1), 3000, 60);
}

TEST(Histogram, IsEmptyAgainAfterClear) {
    Histogram histogram;
    histogram.add(microseconds{7});
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.percentile(0.5), 0);
    EXPECT_EQ(histogram.max(), 0);
}

}  // namespace
}  // namespace parley::bench
