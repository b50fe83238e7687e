#include "adapters/kafka/waiting_appends.h"

#include <gtest/gtest.h>

#include <map>

namespace parley::kafka {
namespace {

using Answer = Result<std::vector<log::Appended>>;
constexpr SteadyTime kStart{};

class Waiting : public testing::Test {
protected:
    std::uint64_t add(int name, std::size_t bytes = 10, milliseconds after = milliseconds{0}) {
        log::AppendDone done = [this, name](Answer answer) {
            told_.emplace(name, answer ? static_cast<int>(answer->size()) : -1);
        };
        const auto number = appends_.add(done, 7, bytes, kStart + after);
        if (!number) done(fail(Code::kStoreUnavailable, "full"));
        return number.value_or(0);
    }
    WaitingAppends appends_{100_B, milliseconds{5'000}};
    std::map<int, int> told_;  ///< -1: refused
    const Error why_{Code::kStoreUnavailable, "why"};
};

TEST_F(Waiting, AreAnsweredWhenStoredAndReadBackInEitherOrder) {
    const auto one = add(1);
    const auto two = add(2);
    appends_.stored(one);
    appends_.read_back(two, {{}, {}});
    EXPECT_TRUE(told_.empty());
    appends_.read_back(one, {{}});
    appends_.stored(two);
    EXPECT_EQ(told_, (std::map<int, int>{{1, 1}, {2, 2}}));
    EXPECT_TRUE(appends_.empty());
    EXPECT_EQ(appends_.bytes(), 0U);
}

TEST_F(Waiting, ARefusedOneIsToldOnce) {
    const auto one = add(1);
    EXPECT_TRUE(appends_.refuse(one, why_));
    EXPECT_FALSE(appends_.refuse(one, why_));
    appends_.stored(one);
    appends_.read_back(one, {{}});
    EXPECT_EQ(told_, (std::map<int, int>{{1, -1}}));
}

TEST_F(Waiting, ExpireAfterTheirTime) {
    add(1);
    add(2, 10, milliseconds{100});
    EXPECT_TRUE(appends_.expire(kStart + milliseconds{4'999}, why_).empty());
    EXPECT_EQ(appends_.expire(kStart + milliseconds{5'000}, why_), std::vector<std::uint32_t>{7});
    EXPECT_EQ(told_, (std::map<int, int>{{1, -1}}));
    appends_.refuse_all(why_);
    EXPECT_EQ(told_.size(), 2U);
}

TEST_F(Waiting, AreRefusedBeyondTheLimitUntilOthersAreAnswered) {
    const auto one = add(1, 90);
    EXPECT_EQ(add(2, 11), 0U);
    appends_.refuse(one, why_);
    EXPECT_NE(add(3, 11), 0U);
}

}  // namespace
}  // namespace parley::kafka
