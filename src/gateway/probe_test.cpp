#include "gateway/probe.h"

#include <optional>

#include "gateway/gateway_fixture.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// One loop with its thread; the probe's message has been refused.
struct ProbeTest : testing::GatewayTest {
    void SetUp() override {
        GatewayTest::SetUp();
        options.log_is_shared = true;
        log.inner.is_down = true;
        probed.reset(new Services{one, log.inner, *directory, bus, presence, keys, *guard, tickets, rates, passwords,
                                  pool, pool, metrics, counters, options});
        probe.emplace(*probed, [this] { return own_fault; });
        one.for_each([](rt::Loop&) {});
    }
    void TearDown() override {
        probe.reset();
        one.stop();
        GatewayTest::TearDown();
    }
    Services::Readiness ready() { return probed->readiness(); }

    rt::Runtime one{1, clock};
    std::string own_fault;
    std::unique_ptr<Services> probed;
    std::optional<Probe> probe;
};

TEST_F(ProbeTest, AFaultOfTheSharedLogIsToldAndLeavesTheServerReady) {
    EXPECT_TRUE(ready().ready);
    EXPECT_THAT(ready().json, HasSubstr(R"("degraded":["log"])"));
}

TEST_F(ProbeTest, TheLogIsNamedOnceThoughItSaysItItself) {
    probed->shared_faults = [] { return std::vector<std::string>{"cache", "log"}; };
    EXPECT_THAT(ready().json, HasSubstr(R"("degraded":["cache","log"])"));
}

TEST_F(ProbeTest, WhatOnlyARestartEndsIsTheServersOwnAndMakesItUnready) {
    own_fault = "until it is restarted";
    EXPECT_FALSE(ready().ready);
    EXPECT_EQ(ready().code, Code::kStoreUnavailable);
    EXPECT_THAT(ready().json, HasSubstr("until it is restarted"));
    EXPECT_THAT(ready().json, Not(HasSubstr("degraded")));
}

TEST_F(ProbeTest, AFaultOfALogOfItsOwnMakesItUnready) {
    options.log_is_shared = false;
    EXPECT_FALSE(ready().ready);
}

}  // namespace
}  // namespace parley::gateway
