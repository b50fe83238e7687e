#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache/session_cache.h"

namespace parley::cache {

/// What every SessionCache must do. A test file includes this and instantiates SessionCacheContract with a maker.
struct SessionCacheMaker {
    std::function<std::unique_ptr<SessionCache>()> make;  ///< an empty one
    std::function<WallTime()> now;                        ///< the cache's idea of the time
    std::function<void(milliseconds)> pass;               ///< lets that much time go by, for the cache too
};

class SessionCacheContract : public testing::TestWithParam<SessionCacheMaker> {
protected:
    void SetUp() override {
        cache_ = GetParam().make();
        ASSERT_NE(cache_, nullptr);
    }
    SessionCache& cache() { return *cache_; }
    WallTime in(milliseconds time) { return GetParam().now() + time; }
    void pass(milliseconds time) { GetParam().pass(time); }

    bool put(const std::string& key, const std::string& value, milliseconds ttl) {
        return wait<Result<>>([&](auto done) { cache().put(key, value, in(ttl), std::move(done)); }).has_value();
    }
    std::optional<std::string> take(const std::string& key) {
        return *wait<Result<std::optional<std::string>>>([&](auto done) { cache().take(key, std::move(done)); });
    }
    std::optional<std::string> get(const std::string& key) {
        return *wait<Result<std::optional<std::string>>>([&](auto done) { cache().get(key, std::move(done)); });
    }
    std::string claim(const std::string& key, const std::string& value, milliseconds ttl) {
        return *wait<Result<std::string>>([&](auto done) { cache().claim(key, value, in(ttl), std::move(done)); });
    }
    bool release(const std::string& key, const std::string& value) {
        return wait<Result<>>([&](auto done) { cache().release(key, value, std::move(done)); }).has_value();
    }
    std::chrono::microseconds spend(const std::string& key, std::chrono::microseconds cost,
                                    std::chrono::microseconds age = {}) {
        return *wait<Result<std::chrono::microseconds>>(
            [&](auto done) { cache().spend(key, cost, age, std::move(done)); });
    }
    bool revoke(const std::string& hash, milliseconds ttl) {
        return wait<Result<>>([&](auto done) { cache().revoke(hash, in(ttl), std::move(done)); }).has_value();
    }
    bool is_revoked(const std::string& hash) {
        return *wait<Result<bool>>([&](auto done) { cache().is_revoked(hash, std::move(done)); });
    }
    bool is_any_revoked(const std::vector<std::string>& hashes) {
        return *wait<Result<bool>>([&](auto done) { cache().is_any_revoked(hashes, std::move(done)); });
    }

private:
    template <class Answer, class Call>
    static Answer wait(Call call) {
        std::promise<Answer> promise;
        call(UniqueFunction<void(Answer)>([&](Answer answer) { promise.set_value(std::move(answer)); }));
        return promise.get_future().get();
    }
    std::unique_ptr<SessionCache> cache_;
};

TEST_P(SessionCacheContract, KnowsARevokedTokenUntilItExpires) {
    const std::string hash(64, 'a');
    EXPECT_FALSE(is_revoked(hash));
    ASSERT_TRUE(revoke(hash, seconds{2}));
    EXPECT_TRUE(is_revoked(hash));
    EXPECT_FALSE(is_revoked(std::string(64, 'b')));
    pass(milliseconds{2100});
    EXPECT_FALSE(is_revoked(hash));
}

TEST_P(SessionCacheContract, SaysOfManyTokensWhetherOneIsRevoked) {
    const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
    EXPECT_FALSE(is_any_revoked({}));
    EXPECT_FALSE(is_any_revoked({a, b, c}));
    ASSERT_TRUE(revoke(b, seconds{30}));
    EXPECT_TRUE(is_any_revoked({a, b, c}));
    EXPECT_TRUE(is_any_revoked({b}));
    EXPECT_FALSE(is_any_revoked({a, c}));
}

TEST_P(SessionCacheContract, GivesAValueToTheFirstTakerOnly) {
    ASSERT_TRUE(put("k", std::string("va\0lue", 6), seconds{30}));
    EXPECT_EQ(take("k"), std::string("va\0lue", 6));
    EXPECT_EQ(take("k"), std::nullopt);
    EXPECT_EQ(take("other"), std::nullopt);
}

TEST_P(SessionCacheContract, GivesAValueToOneOfManyWhoTakeAtOnce) {
    ASSERT_TRUE(put("k", "v", seconds{30}));
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { taken += take("k") ? 1 : 0; });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(taken, 1);
}

TEST_P(SessionCacheContract, ForgetsAValueWhenItExpires) {
    ASSERT_TRUE(put("k", "v", seconds{1}));
    pass(milliseconds{1100});
    EXPECT_EQ(take("k"), std::nullopt);
}

TEST_P(SessionCacheContract, ALaterPutReplacesValueAndExpiry) {
    ASSERT_TRUE(put("k", "old", seconds{1}));
    ASSERT_TRUE(put("k", "new", seconds{30}));
    pass(milliseconds{1100});
    EXPECT_EQ(take("k"), "new");
}

TEST_P(SessionCacheContract, KeepsNothingThatHasExpiredAlready) {
    ASSERT_TRUE(put("k", "v", seconds{-1}));
    EXPECT_EQ(take("k"), std::nullopt);
}

TEST_P(SessionCacheContract, AClaimHoldsAgainstOthersUntilItIsReleased) {
    EXPECT_EQ(get("k"), std::nullopt);
    EXPECT_EQ(claim("k", std::string("o\0ne", 4), seconds{30}), std::string("o\0ne", 4));
    EXPECT_EQ(claim("k", "two", seconds{30}), std::string("o\0ne", 4));
    EXPECT_EQ(get("k"), std::string("o\0ne", 4));
    ASSERT_TRUE(release("k", "two"));
    EXPECT_EQ(get("k"), std::string("o\0ne", 4)) << "it is not two's to release";
    ASSERT_TRUE(release("k", std::string("o\0ne", 4)));
    EXPECT_EQ(claim("k", "two", seconds{30}), "two");
}

TEST_P(SessionCacheContract, AClaimEndsByItselfUnlessItsHolderClaimsAgain) {
    EXPECT_EQ(claim("kept", "one", seconds{1}), "one");
    EXPECT_EQ(claim("left", "one", seconds{1}), "one");
    EXPECT_EQ(claim("kept", "one", seconds{30}), "one");
    pass(milliseconds{1100});
    EXPECT_EQ(claim("kept", "two", seconds{30}), "one");
    EXPECT_EQ(claim("left", "two", seconds{30}), "two");
}

TEST_P(SessionCacheContract, OfManyWhoClaimAtOnceAllHearTheSame) {
    std::vector<std::string> heard(8);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < heard.size(); ++i) {
        threads.emplace_back([&, i] { heard[i] = claim("k", "holder " + std::to_string(i), seconds{30}); });
    }
    for (auto& thread : threads) thread.join();
    for (const std::string& holder : heard) EXPECT_EQ(holder, heard.front());
    EXPECT_EQ(get("k"), heard.front());
}

TEST_P(SessionCacheContract, ABucketSumsUpWhatAllSpendAndFillsWithTime) {
    EXPECT_EQ(spend("k", seconds{30}), seconds{30});
    const auto both = spend("k", seconds{30});
    EXPECT_LE(both, seconds{60});
    EXPECT_GT(both, seconds{30});
    EXPECT_EQ(spend("other", std::chrono::microseconds{2'500'000}), std::chrono::microseconds{2'500'000});
    pass(milliseconds{1100});
    const auto later = spend("other", seconds{1});
    EXPECT_LE(later, milliseconds{2400});
    EXPECT_GT(later, seconds{1});
    pass(milliseconds{2500});
    EXPECT_EQ(spend("other", milliseconds{10}), milliseconds{10}) << "no fuller than full";
}

TEST_P(SessionCacheContract, WhatWasSpentAWhileAgoHasComeBackSince) {
    EXPECT_EQ(spend("k", seconds{30}, seconds{20}), seconds{10});
    const auto more = spend("k", seconds{30}, seconds{20});
    EXPECT_LE(more, seconds{40}) << "it was not full then";
    EXPECT_GT(more, seconds{10});
    EXPECT_EQ(spend("other", seconds{1}, seconds{20}), std::chrono::microseconds{0});
    EXPECT_EQ(spend("other", seconds{1}), seconds{1});
}

}  // namespace parley::cache
