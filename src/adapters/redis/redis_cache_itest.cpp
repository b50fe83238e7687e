#include <future>
#include <thread>

#include "adapters/redis/redis_cache.h"
#include "adapters/redis/redis_fixture.h"
#include "cache/session_cache_contract.h"

namespace parley::cache {
namespace {

// Redis has its own clock, which nobody can move: time passes by waiting.
INSTANTIATE_TEST_SUITE_P(Redis, SessionCacheContract,
                         testing::Values(SessionCacheMaker{
                             []() -> std::unique_ptr<SessionCache> {
                                 auto client = redis::client();
                                 if (client == nullptr) return nullptr;
                                 EXPECT_TRUE(client->ask({"FLUSHDB"}));
                                 return std::make_unique<redis::RedisCache>(client, redis::fresh_prefix(),
                                                                            redis::kClock);
                             },
                             [] { return redis::kClock.wall(); },
                             [](milliseconds time) { std::this_thread::sleep_for(time); }}),
                         [](const auto&) { return "RedisCache"; });

}  // namespace
}  // namespace parley::cache

namespace parley::redis {
namespace {

TEST(RedisCache, AnotherServicesBlacklistIsBelieved) {
    const auto redis = client();
    const std::string hash(64, 'c');
    ASSERT_TRUE(redis->ask({"SET", "blacklist:" + hash, "revoked", "EX", "30"}));
    RedisCache cache{redis, fresh_prefix(), kClock};
    std::promise<Result<bool>> answer;
    cache.is_revoked(hash, [&](Result<bool> revoked) { answer.set_value(std::move(revoked)); });
    EXPECT_EQ(answer.get_future().get(), true);
}

}  // namespace
}  // namespace parley::redis
