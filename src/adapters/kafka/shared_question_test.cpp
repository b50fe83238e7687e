#include "adapters/kafka/shared_question.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <vector>

namespace parley::kafka {
namespace {

TEST(SharedQuestion, WhoComesWhileItIsAskedGetsTheAnswerOfOneMore) {
    std::atomic<std::uint64_t> asked{0};
    std::counting_semaphore<> begun{0};
    std::counting_semaphore<> may_answer{0};
    SharedQuestion question{[&]() -> Result<std::uint64_t> {
        const std::uint64_t number = ++asked;
        begun.release();
        may_answer.acquire();
        return number;
    }};
    const auto ask = [&] { return *question.answer(); };
    auto first = std::async(std::launch::async, ask);
    begun.acquire();
    std::vector<std::future<std::uint64_t>> later;
    for (int i = 0; i < 8; ++i) later.push_back(std::async(std::launch::async, ask));
    may_answer.release(16);
    EXPECT_EQ(first.get(), 1U);
    for (auto& one : later) EXPECT_GE(one.get(), 2U);
}

TEST(SharedQuestion, AFailureIsTheAnswerOfThoseWhoWaitedAndTheNextAsksAgain) {
    int asked = 0;
    SharedQuestion question{[&]() -> Result<std::uint64_t> {
        if (++asked == 1) return fail(Code::kStoreUnavailable, "away");
        return 7;
    }};
    EXPECT_EQ(question.answer().error().message, "away");
    EXPECT_EQ(*question.answer(), 7U);
}

}  // namespace
}  // namespace parley::kafka
