#include "bench/options.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bench/pacer.h"
#include "bench/stamp.h"

namespace parley::bench {
namespace {

TEST(LoadOptions, MixIsShorthandForTheOptions) {
    LoadOptions options;
    ASSERT_TRUE(options.take_mix("D"));
    ASSERT_TRUE(options.settle());
    EXPECT_EQ(options.connections, 10'000);
    EXPECT_EQ(options.per_room(), 100);
    EXPECT_EQ(options.subscribers, 100);
    EXPECT_EQ(options.senders, 100);
    EXPECT_EQ(options.rate, 500);
    EXPECT_EQ(options.payload, "64");
    EXPECT_FALSE(options.take_mix("E"));
}

TEST(LoadOptions, RefusesWhatCannotBe) {
    const auto refused = [](auto change) {
        LoadOptions options;
        change(options);
        return !options.settle().has_value();
    };
    EXPECT_TRUE(refused([](auto& o) { o.senders = 101; }));
    EXPECT_TRUE(refused([](auto& o) { o.subscribers = 11; }));
    EXPECT_TRUE(refused([](auto& o) { o.payload = "34"; }));
    EXPECT_TRUE(refused([](auto& o) { o.payload = "many"; }));
    EXPECT_TRUE(refused([](auto& o) { o.slow = o.stalled = 51; }));
    EXPECT_FALSE(refused([](auto& o) { o.payload = "35"; }));
}

TEST(PayloadSizes, ChatIsMostlyShortAndSometimesLong) {
    auto sizes = *PayloadSizes::parse("chat");
    std::vector<std::size_t> drawn(10'000);
    std::generate(drawn.begin(), drawn.end(), [&sizes] { return sizes.next(); });
    std::sort(drawn.begin(), drawn.end());
    EXPECT_GE(drawn.front(), kStampSize);
    EXPECT_LT(drawn[5'000], 64u);
    EXPECT_GT(drawn[9'950], 1000u);
    EXPECT_EQ(sizes.largest(), 4000u);
}

TEST(Pacer, IntendedTimesAreEvenAndWaitForNobody) {
    Pacer pacer{500, 2};
    pacer.start(1'000'000);
    EXPECT_TRUE(pacer.is_due(1'000'000));
    EXPECT_EQ(pacer.take(), 0u);
    EXPECT_FALSE(pacer.is_due(2'999'999));
    EXPECT_EQ(pacer.due_ns(), 3'000'000);
    EXPECT_EQ(pacer.take(), 1u);
    // A second later all that was missed is due, each at its own time.
    int due = 0;
    for (; pacer.is_due(1'001'000'000); ++due) pacer.take();
    EXPECT_EQ(due, 499);
}

TEST(Pacer, WithoutARateNothingIsDue) {
    EXPECT_FALSE((Pacer{0, 4}.is_due(1)));
    EXPECT_FALSE((Pacer{100, 0}.is_open()));
}

}  // namespace
}  // namespace parley::bench
