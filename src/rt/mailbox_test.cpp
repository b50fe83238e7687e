#include "rt/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace parley::rt {
namespace {

bool is_readable(int fd, int timeout_ms) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, timeout_ms) == 1;
}

TEST(Mailbox, RunsTasksInTheOrderOfOneThread) {
    Mailbox mailbox;
    std::vector<int> seen;
    for (int i = 0; i < 5; ++i) mailbox.push([&seen, i] { seen.push_back(i); });
    EXPECT_EQ(mailbox.run_pending(), 5u);
    EXPECT_EQ(seen, (std::vector{0, 1, 2, 3, 4}));
}

TEST(Mailbox, TaskPushedByATaskWaitsForTheNextTime) {
    Mailbox mailbox;
    int ran = 0;
    mailbox.push([&] { mailbox.push([&] { ++ran; }); });
    EXPECT_EQ(mailbox.run_pending(), 1u);
    EXPECT_EQ(ran, 0);
    EXPECT_FALSE(mailbox.prepare_sleep());
    EXPECT_EQ(mailbox.run_pending(), 1u);
    EXPECT_EQ(ran, 1);
}

TEST(Mailbox, WakesOnlyASleeper) {
    Mailbox mailbox;
    mailbox.push([] {});
    EXPECT_FALSE(is_readable(mailbox.fd(), 0));
    EXPECT_FALSE(mailbox.prepare_sleep());
    mailbox.run_pending();
    EXPECT_TRUE(mailbox.prepare_sleep());
    mailbox.push([] {});
    EXPECT_TRUE(is_readable(mailbox.fd(), 0));
}

TEST(Mailbox, DropsWhatNobodyRan) {
    const auto held = std::make_shared<int>(1);
    {
        Mailbox mailbox;
        mailbox.push([held] {});
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Mailbox, LosesNoTaskAndNoWakeUpUnderManyThreads) {
    constexpr int kThreads = 4;
    constexpr int kEach = 20'000;
    Mailbox mailbox;
    std::vector<int> last(kThreads, -1);
    int ran = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                mailbox.push([&, t, i] {
                    EXPECT_EQ(last[static_cast<std::size_t>(t)], i - 1);
                    last[static_cast<std::size_t>(t)] = i;
                    ++ran;
                });
                if (i % 64 == 0) std::this_thread::yield();
            }
        });
    }
    while (ran < kThreads * kEach) {
        if (mailbox.prepare_sleep()) {
            if (!is_readable(mailbox.fd(), 20'000)) break;
            std::uint64_t drained = 0;
            ASSERT_EQ(::read(mailbox.fd(), &drained, sizeof drained), 8);
        }
        mailbox.woke();
        mailbox.run_pending();
    }
    EXPECT_EQ(ran, kThreads * kEach);
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace parley::rt
