#include "gateway/core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gateway/gateway_fixture.h"
#include "gateway/session.h"

namespace parley::gateway {
namespace {

/// A timer's second.
constexpr milliseconds kSecond = seconds{1} + rt::TimerWheel::kTick;

/// Counts its seconds.
struct Idler final : Session {
    int seconds_heard = 0;
    void on_second(WallTime, SteadyTime) override { ++seconds_heard; }
    void on_token_revoked(std::string_view) override {}
    void on_member_revoked(const MemberId&, WallTime) override {}
    void drain(milliseconds) override {}
};

class CoreTest : public testing::GatewayTest {
protected:
    void add(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) core->add(*idlers.emplace_back(std::make_unique<Idler>()));
    }
    void TearDown() override {
        for (const auto& idler : idlers) core->remove(*idler);
        testing::GatewayTest::TearDown();
    }
    [[nodiscard]] std::size_t heard(int times) const {
        return static_cast<std::size_t>(std::count_if(
            idlers.begin(), idlers.end(), [&](const auto& idler) { return idler->seconds_heard == times; }));
    }
    std::vector<std::unique_ptr<Idler>> idlers;
};

TEST_F(CoreTest, FewSessionsHaveTheirSecondTogether) {
    add(100);
    step(kSecond);
    EXPECT_EQ(heard(1), 100U);
}

TEST_F(CoreTest, ManySessionsHaveTheirSecondPartByPart) {
    add(1000);
    clock.advance(kSecond);
    loop.run_once();
    EXPECT_EQ(heard(1), 128U);
    for (int i = 0; i < 40; ++i) {
        clock.advance(milliseconds{20});
        loop.run_once();
    }
    EXPECT_EQ(heard(1), 1000U);
    for (int i = 0; i < 50; ++i) {
        clock.advance(milliseconds{20});
        loop.run_once();
    }
    EXPECT_EQ(heard(2), 1000U);
}

TEST_F(CoreTest, WhoGoesBeforeTheirPartTakesNobodysSecond) {
    add(1000);
    clock.advance(kSecond);
    loop.run_once();
    for (std::size_t i = 0; i < 500; ++i) core->remove(*idlers[i]);
    for (int i = 0; i < 30; ++i) {
        clock.advance(milliseconds{20});
        loop.run_once();
    }
    EXPECT_EQ(
        std::count_if(idlers.begin() + 500, idlers.end(), [](const auto& idler) { return idler->seconds_heard > 0; }),
        500);
}

}  // namespace
}  // namespace parley::gateway
