#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace parley::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

void on_threads(int count, const std::function<void()>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(work);
    for (auto& thread : threads) thread.join();
}

TEST(Metrics, CounterLosesNothingOverManyThreads) {
    Registry registry;
    Counter& counter = registry.counter("parley_messages_total", "Messages stored.");
    on_threads(20, [&] {
        for (int i = 0; i < 1000; ++i) counter.add();
    });
    counter.add(5);
    EXPECT_EQ(counter.value(), 20'005U);
    EXPECT_THAT(registry.render(), HasSubstr("# HELP parley_messages_total Messages stored.\n"
                                             "# TYPE parley_messages_total counter\nparley_messages_total 20005\n"));
}

TEST(Metrics, SameNameAndLabelsAreTheSameCounter) {
    Registry registry;
    Counter& a = registry.counter("parley_refusals_total", "h", {{"code", "CHAT_FORBIDDEN"}});
    Counter& b = registry.counter("parley_refusals_total", "h", {{"code", "CHAT_FORBIDDEN"}});
    Counter& c = registry.counter("parley_refusals_total", "h", {{"code", "NOT_FOUND"}});
    EXPECT_EQ(&a, &b);
    EXPECT_NE(&a, &c);
    a.add(2);
    EXPECT_THAT(registry.render(),
                testing::AllOf(HasSubstr("{code=\"CHAT_FORBIDDEN\"} 2\n"), HasSubstr("{code=\"NOT_FOUND\"} 0\n")));
}

TEST(Metrics, HistogramCountsAtOrBelowEachBound) {
    Registry registry;
    Histogram& histogram = registry.histogram("parley_commit_seconds", "h", {0.5, 1.0});
    for (const double value : {0.5, 0.75, 1.0, 2.0}) histogram.observe(value);
    const auto now = histogram.snapshot();
    EXPECT_THAT(now.cumulative, testing::ElementsAre(1U, 3U, 4U));
    EXPECT_DOUBLE_EQ(now.sum, 4.25);
    EXPECT_THAT(registry.render(), testing::AllOf(HasSubstr("parley_commit_seconds_bucket{le=\"0.5\"} 1\n"),
                                                  HasSubstr("parley_commit_seconds_bucket{le=\"+Inf\"} 4\n"),
                                                  HasSubstr("parley_commit_seconds_sum 4.25\n"),
                                                  HasSubstr("parley_commit_seconds_count 4\n")));
}

TEST(Metrics, HistogramLosesNothingOverManyThreads) {
    Histogram histogram{latency_bounds()};
    on_threads(20, [&] {
        for (int i = 0; i < 500; ++i) histogram.observe(0.25);
    });
    EXPECT_EQ(histogram.snapshot().cumulative.back(), 10'000U);
    EXPECT_DOUBLE_EQ(histogram.snapshot().sum, 2500);
}

TEST(Metrics, GaugeIsReadWhenRenderedAndGoesWithItsHandle) {
    Registry registry;
    double connections = 1;
    {
        const GaugeHandle handle = registry.gauge("parley_connections", "h", [&] { return connections; });
        connections = 42;
        EXPECT_THAT(registry.render(), HasSubstr("parley_connections 42\n"));
    }
    EXPECT_THAT(registry.render(), Not(HasSubstr("parley_connections")));
}

TEST(Metrics, GaugeMadeAgainIsNotEndedByTheOldHandle) {
    Registry registry;
    GaugeHandle handle = registry.gauge("parley_rooms", "h", [] { return 1.0; });
    handle = registry.gauge("parley_rooms", "h", [] { return 2.0; });
    EXPECT_THAT(registry.render(), HasSubstr("parley_rooms 2\n"));
}

TEST(Metrics, LabelValuesAreEscaped) {
    Registry registry;
    registry.counter("parley_x_total", "h", {{"k", "a\"b\\c\nd"}});
    EXPECT_THAT(registry.render(), HasSubstr(R"({k="a\"b\\c\nd"})"));
}

TEST(MetricsDeathTest, OneNameForTwoKindsAborts) {
    Registry registry;
    registry.counter("parley_x", "h");
    EXPECT_DEATH((void)registry.gauge("parley_x", "h", [] { return 0.0; }), "parley_x is made as two kinds");
}

}  // namespace
}  // namespace parley::metrics
