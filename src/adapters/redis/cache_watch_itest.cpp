#include <gmock/gmock.h>

#include <thread>

#include "adapters/redis/cache_watch.h"
#include "adapters/redis/redis_fixture.h"

namespace parley::redis {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kEvery{20};

/// A Redis user of this test's own, whose rights are taken and given.
struct CacheWatchTest : testing::Test {
    ~CacheWatchTest() override {
        for (const auto& [name, value] : {std::pair{"maxmemory", "0"}, {"min-replicas-to-write", "0"}})
            EXPECT_TRUE(admin->ask({"CONFIG", "SET", name, value}));
        EXPECT_TRUE(admin->ask({"ACL", "DELUSER", "cache"}));
    }
    void rights(const std::string& rule) { ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "cache", rule})); }
    void configure(const std::string& name, const std::string& value) {
        ASSERT_TRUE(admin->ask({"CONFIG", "SET", name, value}));
    }
    Result<std::unique_ptr<CacheWatch>> open() {
        EXPECT_TRUE(admin->ask({"ACL", "SETUSER", "cache", "on", ">s3cret", "~*"}));
        Settings user = settings();
        user.user = "cache";
        user.password = "s3cret";
        return CacheWatch::open(client(user), fresh_prefix(), kClock, kEvery);
    }
    std::string refusal() {
        const auto watch = open();
        return watch ? "" : watch.error().message;
    }
    /// Once it is as `wanted` says.
    static std::string trouble(const CacheWatch& watch, bool wanted) {
        const auto end = kClock.steady() + seconds{20};
        while (watch.trouble().empty() == wanted && kClock.steady() < end) std::this_thread::yield();
        return watch.trouble();
    }
    const std::shared_ptr<Client> admin = client();
};

TEST_F(CacheWatchTest, TheRightsOfTheManualAreEnough) {
    ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "cache", "-@all", "+get", "+set", "+del", "+exists", "+getdel",
                            "+publish", "+subscribe", "+ping", "+select", "+eval", "+time"}));
    EXPECT_EQ(refusal(), "");
}

TEST_F(CacheWatchTest, ARightThatIsMissingAtTheStartIsSaidWithTheCommandInRedissWords) {
    for (const auto& [rule, command] :
         {std::pair{"-exists", "EXISTS"}, {"-eval", "EVAL"}, {"-set", "SET"}, {"-getdel", "GETDEL"}, {"-del", "DEL"}}) {
        rights("+@all");
        rights(rule);
        EXPECT_THAT(refusal(), AllOf(HasSubstr("Redis at 127.0.0.1:"), HasSubstr(std::string{"it refuses "} + command),
                                     HasSubstr("NOPERM"), Not(HasSubstr("s3cret"))));
    }
}

TEST_F(CacheWatchTest, ARightThatIsTakenLaterIsAFaultUntilItIsGivenBack) {
    rights("+@all");
    const auto watch = open();
    ASSERT_TRUE(watch.has_value()) << watch.error().message;
    EXPECT_EQ((*watch)->trouble(), "");
    rights("-exists");
    EXPECT_THAT(trouble(**watch, true), HasSubstr("it refuses EXISTS: NOPERM"));
    rights("+exists");
    EXPECT_EQ(trouble(**watch, false), "");
}

TEST_F(CacheWatchTest, ARedisThatTakesNoWritesIsAFaultUntilItDoes) {
    rights("+@all");
    const auto watch = open();
    ASSERT_TRUE(watch.has_value()) << watch.error().message;
    for (const auto& [name, value, word] :
         {std::tuple{"maxmemory", "1", "OOM"}, {"min-replicas-to-write", "1", "NOREPLICAS"}}) {
        configure(name, value);
        EXPECT_THAT(trouble(**watch, true), HasSubstr(std::string{"it refuses SET: "} + word));
        configure(name, "0");
        EXPECT_EQ(trouble(**watch, false), "");
    }
}

}  // namespace
}  // namespace parley::redis
