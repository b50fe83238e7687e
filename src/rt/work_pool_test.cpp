#include "rt/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>

namespace parley::rt {
namespace {

TEST(WorkPool, RunsInOrderWithOneThread) {
    std::string seen;
    {
        WorkPool pool{"test", 1, 100};
        for (char c = 'a'; c < 'f'; ++c) EXPECT_TRUE(pool.try_submit([&seen, c] { seen += c; }));
    }
    EXPECT_EQ(seen, "abcde");
}

TEST(WorkPool, RefusesBeyondItsQueueWithoutEffect) {
    std::atomic<int> ran{0};
    {
        std::latch busy{1};
        std::latch go{1};
        WorkPool pool{"test", 1, 2};
        EXPECT_TRUE(pool.try_submit([&] {
            busy.count_down();
            go.wait();
            ++ran;
        }));
        busy.wait();
        EXPECT_TRUE(pool.try_submit([&] { ++ran; }));
        EXPECT_TRUE(pool.try_submit([&] { ++ran; }));
        EXPECT_FALSE(pool.try_submit([&] { ++ran; }));
        EXPECT_EQ(pool.waiting(), 2u);
        go.count_down();
    }
    EXPECT_EQ(ran, 3);
}

TEST(WorkPool, TaskMaySubmitAnother) {
    std::latch done{1};
    WorkPool pool{"test", 1, 10};
    ASSERT_TRUE(pool.try_submit([&] { EXPECT_TRUE(pool.try_submit([&] { done.count_down(); })); }));
    done.wait();
}

TEST(WorkPool, WithoutThreadsRunsOneAtATimeOnTheCaller) {
    WorkPool pool{"test", 0, 10};
    int ran = 0;
    ASSERT_TRUE(pool.try_submit([&] { ++ran; }));
    ASSERT_TRUE(pool.try_submit([&] { ++ran; }));
    EXPECT_TRUE(pool.run_one());
    EXPECT_EQ(ran, 1);
    EXPECT_TRUE(pool.run_one());
    EXPECT_FALSE(pool.run_one());
}

}  // namespace
}  // namespace parley::rt
