#include "rt/runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>

namespace parley::rt {
namespace {

TEST(Runtime, ForEachRunsOnEveryLoopsOwnThread) {
    SystemClock clock;
    Runtime runtime{3, clock};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    runtime.for_each([&](Loop&) {
        const std::lock_guard lock{mutex};
        threads.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(threads.size(), 3u);
    EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(Runtime, LoopsWakeEachOtherFromSleep) {
    SystemClock clock;
    Runtime runtime{2, clock};
    constexpr int kRounds = 3000;
    std::latch done{1};
    struct Ball {
        Runtime& runtime;
        std::latch& done;
        void bounce(std::size_t at, int left) {
            if (left == 0) {
                done.count_down();
                return;
            }
            runtime.loop(1 - at).post([this, at, left] { bounce(1 - at, left - 1); });
        }
    } ball{runtime, done};
    runtime.loop(0).post([&] { ball.bounce(0, kRounds); });
    done.wait();
}

TEST(Runtime, StopDropsWhatWasNotRunAndMayBeCalledTwice) {
    SystemClock clock;
    Runtime runtime{2, clock};
    runtime.stop();
    std::atomic<bool> ran{false};
    runtime.loop(0).post([&] { ran = true; });
    runtime.stop();
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace parley::rt
