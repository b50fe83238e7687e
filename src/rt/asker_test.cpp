#include "rt/asker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "rt/runtime.h"

namespace parley::rt {
namespace {

class AskerTest : public testing::Test {
protected:
    void ask(std::string question) {
        asker->ask([question] { return Result<std::string>{question + "!"}; },
                   [this](Result<std::string> answer) {
                       answers += answer ? *answer : std::string{name(answer.error().code)};
                   });
    }
    ManualClock clock;
    Loop loop{0, clock};
    WorkPool pool{"test", 0, 2};
    std::optional<Asker> asker{std::in_place, loop, pool};
    std::string answers;
};

TEST_F(AskerTest, AnswerComesOnTheLoopAndNotBefore) {
    ask("a");
    loop.run_once();
    EXPECT_EQ(answers, "");
    EXPECT_TRUE(pool.run_one());
    EXPECT_EQ(answers, "");
    loop.run_once();
    EXPECT_EQ(answers, "a!");
}

TEST_F(AskerTest, FullPoolIsAnErrorAndNeverFromInsideAsk) {
    ask("a");
    ask("b");
    ask("c");
    EXPECT_EQ(answers, "");
    loop.run_once();
    EXPECT_EQ(answers, "CHAT_STORE_UNAVAILABLE");
}

TEST_F(AskerTest, DestroyedAskerAnswersNothing) {
    ask("a");
    ask("b");
    ask("refused");
    pool.run_one();
    asker.reset();
    pool.run_one();
    loop.run_once();
    EXPECT_EQ(answers, "");
}

TEST(Asker, WhatTheAnswerHoldsIsDestroyedOnTheLoop) {
    SystemClock clock;
    Runtime runtime{1, clock};
    WorkPool pool{"test", 2, 100'000};  // ends first: its threads post to the loops until then
    struct Mortal {
        std::thread::id home = std::this_thread::get_id();
        std::atomic<int>& elsewhere;
        std::atomic<int>& left;
        ~Mortal() {
            if (std::this_thread::get_id() != home) ++elsewhere;
            if (--left == 0) left.notify_all();
        }
    };
    std::atomic<int> elsewhere{0};
    std::atomic<int> left{5000};
    std::unique_ptr<Asker> asker;
    runtime.for_each([&](Loop& loop) {
        asker = std::make_unique<Asker>(loop, pool);
        for (int i = 0; i < 5000; ++i) {
            asker->ask(
                [] { return Result<int>{1}; },
                [held = std::shared_ptr<Mortal>{new Mortal{.elsewhere = elsewhere, .left = left}}](Result<int>) {});
        }
    });
    for (int now = left; now != 0; now = left) left.wait(now);
    EXPECT_EQ(elsewhere, 0);
    runtime.for_each([&](Loop&) { asker.reset(); });
}

}  // namespace
}  // namespace parley::rt
