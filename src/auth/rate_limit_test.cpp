#include "auth/rate_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/clock.h"
#include "cache/memory_cache.h"

namespace parley::auth {
namespace {

constexpr Rate kTenPerSecond{.count = 10, .per = milliseconds{1000}};

TEST(RateBucket, GivesTheBurstThenOneEachInterval) {
    ManualClock clock;
    RateBucket bucket{kTenPerSecond};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.take(clock.steady()), std::nullopt) << i;
    EXPECT_EQ(bucket.take(clock.steady()), milliseconds{100});
    clock.advance(milliseconds{99});
    EXPECT_EQ(bucket.take(clock.steady()), milliseconds{1});
    clock.advance(milliseconds{1});
    EXPECT_EQ(bucket.take(clock.steady()), std::nullopt);
    EXPECT_EQ(bucket.take(clock.steady()), milliseconds{100});
}

TEST(RateBucket, RefusalTakesNothing) {
    ManualClock clock;
    RateBucket bucket{kTenPerSecond};
    EXPECT_EQ(bucket.take(clock.steady(), 8), std::nullopt);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.take(clock.steady(), 3), milliseconds{100});
    EXPECT_EQ(bucket.take(clock.steady(), 2), std::nullopt);
}

TEST(RateBucket, IsFullAgainAfterTheRefillAndNoFuller) {
    ManualClock clock;
    RateBucket bucket{kTenPerSecond};
    EXPECT_TRUE(bucket.is_idle(clock.steady()));
    EXPECT_EQ(bucket.take(clock.steady(), 10), std::nullopt);
    clock.advance(milliseconds{999});
    EXPECT_FALSE(bucket.is_idle(clock.steady()));
    clock.advance(seconds{3600});
    EXPECT_TRUE(bucket.is_idle(clock.steady()));
    EXPECT_EQ(bucket.take(clock.steady(), 10), std::nullopt);
    EXPECT_NE(bucket.take(clock.steady()), std::nullopt);
}

TEST(RateBucket, NeverGivesMoreThanTheBurstToManyThreads) {
    RateBucket bucket{{.count = 1000, .per = milliseconds{1'000'000}}};
    const SteadyTime now = ManualClock{}.steady();
    std::atomic<int> given{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) given += bucket.take(now) ? 0 : 1;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(given, 1000);
}

TEST(RateTable, SharesOneBucketPerKey) {
    const SteadyTime now = ManualClock{}.steady();
    RateTable table{{.count = 1, .per = milliseconds{1000}}, 100};
    EXPECT_EQ(table.take("a", now), std::nullopt);
    EXPECT_NE(table.take("a", now), std::nullopt);
    EXPECT_EQ(table.take("b", now), std::nullopt);
}

TEST(RateTable, StaysBoundedUnderAFloodOfKeys) {
    const SteadyTime now = ManualClock{}.steady();
    RateTable table{kTenPerSecond, 160};
    for (int i = 0; i < 20'000; ++i) EXPECT_EQ(table.take("k" + std::to_string(i), now), std::nullopt);
    EXPECT_LE(table.size(), 160U);
}

TEST(RateTable, DropsIdleBucketsBeforeBusyOnes) {
    ManualClock clock;
    RateTable table{kTenPerSecond, 16};  // one a stripe
    EXPECT_EQ(table.bucket("busy", clock.steady())->take(clock.steady(), 10), std::nullopt);
    for (int i = 0; i < 200; ++i) static_cast<void>(table.bucket("k" + std::to_string(i), clock.steady()));
    clock.advance(seconds{10});
    for (int i = 200; i < 400; ++i) static_cast<void>(table.bucket("k" + std::to_string(i), clock.steady()));
    EXPECT_LE(table.size(), 16U);
}

TEST(RateTable, KeepsABucketThatSomebodyHolds) {
    const SteadyTime now = ManualClock{}.steady();
    RateTable table{kTenPerSecond, 16};
    const auto held = table.bucket("held", now);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(table.take("k" + std::to_string(i), now), std::nullopt);
    EXPECT_EQ(table.bucket("held", now), held);
}

TEST(RateLimits, AMemberCannotMultiplyItsRateByOpeningSessions) {
    const SteadyTime now = ManualClock{}.steady();
    RateLimits limits{{.send_session = {.count = 60, .per = milliseconds{3000}},
                       .send_member = {.count = 120, .per = milliseconds{3000}}}};
    int sent = 0;
    for (int s = 0; s < 5; ++s) {
        SendRate session = limits.send("u-7", now);
        int of_session = 0;
        while (!session.take(now)) ++of_session;
        EXPECT_LE(of_session, 60);
        sent += of_session;
    }
    EXPECT_EQ(sent, 120);
    EXPECT_EQ(limits.send("u-8", now).take(now), std::nullopt);
}

TEST(RateLimits, CountsHandshakesLoginsAndRoomsApart) {
    const SteadyTime now = ManualClock{}.steady();
    const Rate one{.count = 1, .per = milliseconds{1000}};
    RateLimits limits{{.handshake_address = one, .login_address = one, .room_member = one}};
    EXPECT_EQ(limits.handshake("10.0.0.1", now), std::nullopt);
    EXPECT_EQ(limits.login("10.0.0.1", now), std::nullopt);
    EXPECT_EQ(limits.room_creation("u-7", now), std::nullopt);
    EXPECT_EQ(limits.handshake("10.0.0.1", now), milliseconds{1000});
    EXPECT_EQ(limits.login("10.0.0.1", now), milliseconds{1000});
    EXPECT_EQ(limits.room_creation("u-7", now), milliseconds{1000});
    EXPECT_EQ(limits.handshake("10.0.0.2", now), std::nullopt);
}

TEST(RateLimits, LimitsNothingWhenDisabled) {
    const SteadyTime now = ManualClock{}.steady();
    RateLimits limits{{.enabled = false}};
    SendRate session = limits.send("u-7", now);
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_EQ(session.take(now), std::nullopt);
        EXPECT_EQ(limits.login("10.0.0.1", now), std::nullopt);
    }
}

/// Servers of a fleet with one cache.
class SharedRates : public testing::Test {
protected:
    static constexpr Rate kSend{.count = 160, .per = milliseconds{8000}};
    static constexpr RateOptions kOptions{.send_session = {.count = 100'000}, .send_member = kSend};

    /// How many of `tries` a server lets through.
    int let_through(RateLimits& server, int tries, const std::string& member = "u-7") {
        int sent = 0;
        SendRate rate = server.send(member, clock.steady());
        for (int i = 0; i < tries; ++i) sent += rate.take(clock.steady()) ? 0 : 1;
        return sent;
    }

    ManualClock clock;
    cache::MemoryCache cache{clock};
    RateLimits one{kOptions, &cache};
    RateLimits other{kOptions, &cache};
};

TEST_F(SharedRates, WhatOneServerLetThroughIsMissingAtTheOther) {
    EXPECT_EQ(let_through(one, 1000), 160);
    EXPECT_EQ(let_through(other, 1000), 10) << "what it lets through before it tells and hears";
    EXPECT_EQ(let_through(other, 1000, "u-8"), 160) << "another member";
    clock.advance(seconds{1});
    EXPECT_EQ(let_through(one, 1000) + let_through(other, 1000), 20);
}

TEST_F(SharedRates, OverTimeAMemberHasOneRateAtAnyNumberOfServers) {
    std::vector<std::unique_ptr<RateLimits>> servers;
    for (int i = 0; i < 8; ++i) servers.push_back(std::make_unique<RateLimits>(kOptions, &cache));
    int sent = 0;
    for (int ms = 0; ms < 60'000; ms += 10) {
        for (auto& server : servers) sent += let_through(*server, 1);
        clock.advance(milliseconds{10});
    }
    EXPECT_LE(sent, 160 + 60 * 20 + 8 * 10);
    EXPECT_GE(sent, 160 + 60 * 20 - 8 * 10);
}

TEST_F(SharedRates, AServerThatIsAloneWithAMemberCountsAsIfItHadNoOthers) {
    RateLimits alone{kOptions};
    for (int step = 0; step < 2000; ++step) {
        const int tries = step % 7 == 0 ? 90 : step % 3;
        EXPECT_EQ(let_through(one, tries), let_through(alone, tries)) << step;
        clock.advance(milliseconds{step * 37 % 400});
    }
}

TEST_F(SharedRates, HandshakesLoginsAndRoomsAreSharedToo) {
    const Rate few{.count = 10, .per = seconds{100}};
    const RateOptions options{.handshake_address = few, .login_address = few, .room_member = few};
    RateLimits here{options, &cache};
    RateLimits there{options, &cache};
    const SteadyTime now = clock.steady();
    for (int i = 0; i < 9; ++i) {
        EXPECT_FALSE(here.handshake("2001:db8::1", now) || here.login("2001:db8::1", now) ||
                     here.room_creation("a", now));
    }
    EXPECT_FALSE(there.handshake("2001:db8::2", now) || there.login("2001:db8::2", now) ||
                 there.room_creation("a", now));
    EXPECT_TRUE(there.handshake("2001:db8::1", now));
    EXPECT_TRUE(there.login("2001:db8::1", now));
    EXPECT_TRUE(there.room_creation("a", now));
}

TEST_F(SharedRates, WithoutTheCacheEachServerCountsForItself) {
    cache::MemoryCache away{clock, Bytes{1}};  // takes nothing
    RateLimits here{kOptions, &away};
    RateLimits there{kOptions, &away};
    EXPECT_EQ(let_through(here, 1000), 160);
    EXPECT_EQ(let_through(there, 1000), 160);
}

TEST(AddressKey, TakesAHouseholdOfIpv6AsOne) {
    EXPECT_EQ(address_key("2001:db8:1:2:3::4"), address_key("2001:db8:1:2:ffff::1"));
    EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
    EXPECT_EQ(address_key("::ffff:10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(address_key("10.0.0.1"), "10.0.0.1");
}

}  // namespace
}  // namespace parley::auth
