#include "rt/loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace parley::rt {
namespace {

struct Entry final : TurnEnd {
    std::function<void()> run;
    explicit Entry(std::function<void()> body) : run(std::move(body)) {}
    void on_turn_end() override { run(); }
};

/// A descriptor that is readable whenever the test says so.
struct Bell final : Watcher {
    int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::function<void()> heard;
    ~Bell() override { ::close(fd); }
    void ring() const { ASSERT_EQ(::eventfd_write(fd, 1), 0); }
    void on_events(std::uint32_t events) override {
        if ((events & EPOLLIN) == 0) return;
        eventfd_t value = 0;
        if (::eventfd_read(fd, &value) == 0) heard();
    }
};

/// Says when it is destroyed.
struct Mortal {
    std::function<void()> last_words;
    explicit Mortal(std::function<void()> words) : last_words(std::move(words)) {}
    ~Mortal() { last_words(); }
};

class LoopTest : public testing::Test {
protected:
    void turn(int count = 1) {
        for (int i = 0; i < count; ++i) loop.run_once();
    }
    ManualClock clock;
    Loop loop{0, clock};
    std::string trace;
};

TEST_F(LoopTest, ATurnIsTasksThenTimersThenTurnEndsThenDestruction) {
    Entry entry{[this] { trace += "end "; }};
    Timer timer{[](void* to) { *static_cast<std::string*>(to) += "timer "; }, &trace};
    loop.arm(timer, milliseconds{10});
    clock.advance(milliseconds{20});
    loop.next_turn([this] { trace += "next "; });
    loop.post([&, this] {
        trace += "posted ";
        loop.at_turn_end(entry);
        loop.bury(std::make_unique<Mortal>([this] { trace += "buried "; }));
    });
    turn();
    EXPECT_EQ(trace, "next posted timer end buried ");
}

TEST_F(LoopTest, TimersFireWithTheClockTheLoopWasGiven) {
    int fired = 0;
    Timer timer{[](void* count) { ++*static_cast<int*>(count); }, &fired};
    turn();
    loop.arm(timer, milliseconds{50});
    turn(3);
    EXPECT_EQ(fired, 0);
    clock.advance(milliseconds{60});
    turn();
    EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, NextTurnTaskRunsOnceAndNotInThisTurn) {
    loop.next_turn([this] {
        trace += "a";
        loop.next_turn([this] { trace += "b"; });
    });
    turn();
    EXPECT_EQ(trace, "a");
    turn(2);
    EXPECT_EQ(trace, "ab");
}

TEST_F(LoopTest, WhatIsToRunAfterAMillisecondDoesNotWaitForATick) {
    loop.run_after(milliseconds{2}, [this] {
        trace += "b";
        loop.run_after(milliseconds{1}, [this] { trace += "d"; });
    });
    loop.run_after(milliseconds{1}, [this] { trace += "a"; });
    loop.run_after(milliseconds{2}, [this] { trace += "c"; });
    turn();
    EXPECT_EQ(trace, "");
    for (const char* done : {"a", "abc", "abcd"}) {
        clock.advance(milliseconds{1});
        turn();
        EXPECT_EQ(trace, done);
    }
}

TEST_F(LoopTest, TurnEndAskedForTwiceRunsOnce) {
    Entry entry{[this] { trace += "x"; }};
    loop.at_turn_end(entry);
    loop.at_turn_end(entry);
    turn(2);
    EXPECT_EQ(trace, "x");
}

TEST_F(LoopTest, TurnEndAskedForFromInsideRunsInTheNextTurn) {
    Entry entry{[&, this] {
        trace += "x";
        if (trace.size() < 3) loop.at_turn_end(entry);
    }};
    loop.at_turn_end(entry);
    turn();
    EXPECT_EQ(trace, "x");
    turn(5);
    EXPECT_EQ(trace, "xxx");
}

TEST_F(LoopTest, EntryForgottenAndDestroyedByAnEarlierOneIsNotCalled) {
    auto second = std::make_unique<Entry>([this] { trace += "second"; });
    Entry first{[&, this] {
        loop.forget_turn_end(*second);
        second.reset();
    }};
    loop.at_turn_end(first);
    loop.at_turn_end(*second);
    turn(2);
    EXPECT_EQ(trace, "");
}

TEST_F(LoopTest, EntryForgottenAskedForAgainAndForgottenLeavesNothingBehind) {
    auto second = std::make_unique<Entry>([this] { trace += "second"; });
    Entry first{[&, this] {
        loop.forget_turn_end(*second);
        loop.at_turn_end(*second);
    }};
    loop.at_turn_end(first);
    loop.at_turn_end(*second);
    turn();
    EXPECT_EQ(trace, "");
    loop.forget_turn_end(*second);
    second.reset();
    turn(2);
    EXPECT_EQ(trace, "");
}

TEST_F(LoopTest, WhatABuriedThingBuriesIsDestroyedTooEvenByTheLoopsEnd) {
    int left = 3;
    std::function<void()> last;
    {
        Loop short_lived{1, clock};
        last = [&] {
            if (--left > 0) short_lived.bury(std::make_unique<Mortal>(last));
        };
        short_lived.bury(std::make_unique<Mortal>(last));
        short_lived.run_once();
        EXPECT_EQ(left, 2);
    }
    EXPECT_EQ(left, 0);
}

TEST_F(LoopTest, TasksThatNeverRanAreDestroyedBeforeTheLoopIs) {
    bool destroyed = false;
    {
        Loop short_lived{1, clock};
        short_lived.post([tomb = std::make_unique<Mortal>([&] {
                              short_lived.bury(std::make_unique<int>(1));
                              destroyed = true;
                          })] {});
    }
    EXPECT_TRUE(destroyed);
}

TEST_F(LoopTest, UnwatchedByAnEarlierEventMeansNoEvent) {
    Bell first;
    Bell second;
    const auto hear = [&, this](Bell& other) {
        return [&, this] {
            trace += "x";
            loop.unwatch(other.fd, other);
        };
    };
    first.heard = hear(second);
    second.heard = hear(first);
    loop.watch(first.fd, first);
    loop.watch(second.fd, second);
    first.ring();
    second.ring();
    turn(2);
    EXPECT_EQ(trace, "x");
}

TEST_F(LoopTest, NewWatcherAtTheAddressOfAnOldOneGetsItsEvents) {
    std::optional<Bell> bell{std::in_place};
    loop.watch(bell->fd, *bell);
    loop.unwatch(bell->fd, *bell);
    bell.reset();
    bell.emplace();
    bell->heard = [this] { trace += "x"; };
    loop.watch(bell->fd, *bell);
    bell->ring();
    turn(2);
    EXPECT_EQ(trace, "x");
    loop.unwatch(bell->fd, *bell);
}

}  // namespace
}  // namespace parley::rt
