#include "cache/memory_cache.h"

#include <gtest/gtest.h>

#include "cache/session_cache_contract.h"

namespace parley::cache {
namespace {

ManualClock clock_of_contract;

INSTANTIATE_TEST_SUITE_P(Memory, SessionCacheContract,
                         testing::Values(SessionCacheMaker{
                             [] { return std::make_unique<MemoryCache>(clock_of_contract); },
                             [] { return clock_of_contract.wall(); },
                             [](milliseconds time) { clock_of_contract.advance(time); }}),
                         [](const auto&) { return "MemoryCache"; });

class MemoryCacheTest : public testing::Test {
protected:
    void put(const std::string& key, const std::string& value, seconds ttl) {
        cache_.put(key, value, clock_.wall() + ttl, [](const Result<>& done) { EXPECT_TRUE(done); });
    }
    std::optional<std::string> take(const std::string& key) {
        std::optional<std::string> taken;
        cache_.take(key, [&](const auto& value) { taken = *value; });
        return taken;
    }
    ManualClock clock_;
    MemoryCache cache_{clock_, 10_KiB};
};

TEST_F(MemoryCacheTest, FreesWhatHasExpiredWithoutBeingAskedForIt) {
    for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), "v", seconds{5});
    clock_.advance(seconds{6});
    put("new", "v", seconds{5});
    EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(MemoryCacheTest, DropsWhatExpiresFirstWhenItIsFull) {
    put("long", "v", seconds{3600});
    for (int i = 0; i < 1000; ++i) put("ticket" + std::to_string(i), std::string(100, 'x'), seconds{30 + i});
    EXPECT_LE(cache_.size(), 10U * 1024 / 192);
    EXPECT_EQ(take("long"), "v");
    EXPECT_EQ(take("ticket0"), std::nullopt);
    EXPECT_TRUE(take("ticket999"));
}

TEST_F(MemoryCacheTest, RefusesAValueLargerThanItself) {
    put("k", "v", seconds{30});
    cache_.put("big", std::string(20'000, 'x'), clock_.wall() + seconds{30},
               [](const Result<>& done) { EXPECT_EQ(done.error().code, Code::kAuthUnavailable); });
    EXPECT_EQ(take("k"), "v");
}

TEST_F(MemoryCacheTest, MayBeCalledFromItsOwnAnswer) {
    put("k", "v", seconds{30});
    std::optional<std::string> taken;
    cache_.is_revoked("x", [&](const Result<bool>&) { taken = take("k"); });
    EXPECT_EQ(taken, "v");
}

}  // namespace
}  // namespace parley::cache
