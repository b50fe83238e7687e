#include "rt/periodic.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

TEST(Periodic, WorksAgainAfterWhatTheWorkReturned) {
    std::atomic<int> calls{0};
    std::promise<void> third;
    const Periodic periodic{"periodic", 0ms, [&] {
                                if (++calls == 3) third.set_value();
                                return calls < 3 ? 1ms : milliseconds{1h};
                            }};
    third.get_future().wait();
    EXPECT_EQ(calls, 3);
}

TEST(Periodic, EndsWithoutWaitingForTheNextTurn) {
    std::atomic<int> calls{0};
    {
        const Periodic periodic{"periodic", 1h, [&] {
                                    ++calls;
                                    return 1h;
                                }};
    }
    EXPECT_EQ(calls, 0);
}

TEST(Periodic, EndsAfterTheCallThatRuns) {
    std::promise<void> began, may_end;
    std::atomic<bool> ended{false};
    auto periodic = std::make_unique<Periodic>("periodic", 0ms, [&] {
        began.set_value();
        may_end.get_future().wait();
        ended = true;
        return milliseconds{1h};
    });
    began.get_future().wait();
    may_end.set_value();
    periodic.reset();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace parley::rt
