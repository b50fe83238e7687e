#include "adapters/redis/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::redis {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RedisUrl, HasEverythingOrOnlyTheHost) {
    const auto all = parse_url("redis://me:pass%40word%25@cache.example.org:6380/3");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->user, "me");
    EXPECT_EQ(all->password, "pass@word%");
    EXPECT_EQ(place(*all), "cache.example.org:6380");
    EXPECT_EQ(all->database, 3);
    const auto least = parse_url("redis://cache");
    ASSERT_TRUE(least);
    EXPECT_EQ(place(*least), "cache:6379");
    EXPECT_EQ(least->password, "");
    EXPECT_EQ(parse_url("redis://:secret@cache/")->password, "secret");
    EXPECT_EQ(place(*parse_url("redis://[::1]:7000")), "[::1]:7000");
}

TEST(RedisUrl, ABadOneIsRefusedWithoutRepeatingAPieceOfIt) {
    for (const char* url :
         {"", "cret", "http://cret", "redis://", "redis://me:se@cret@cache", "redis://me:se/cret@cache",
          "redis://me:se:cret@cache", "redis://me:secr%4@cache", "redis://cache:cret", "redis://cache:0",
          "redis://cache:65536", "redis://cache/cret", "redis://cache/-1", "redis://secret@cache", "redis://[::1"}) {
        const auto settings = parse_url(url);
        ASSERT_FALSE(settings) << url;
        EXPECT_THAT(settings.error().message, HasSubstr("expected redis://USER:PASSWORD@HOST:PORT/DATABASE"));
        EXPECT_THAT(settings.error().message, Not(HasSubstr("cret")));
    }
}

TEST(RedisUrl, TlsIsRefusedByName) {
    const auto settings = parse_url("rediss://me:secret@cache");
    ASSERT_FALSE(settings);
    EXPECT_THAT(settings.error().message, HasSubstr("rediss://"));
}

}  // namespace
}  // namespace parley::redis
