#include <gmock/gmock.h>

#include <csignal>
#include <future>

#include "../tests/contract/silent_server.h"
#include "adapters/redis/client.h"
#include "adapters/redis/fleet_claim.h"
#include "adapters/redis/redis_fixture.h"

namespace parley::redis {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string why_not(const Settings& wanted) {
    const auto opened = Client::open(wanted, kClock);
    return opened ? "" : opened.error().message;
}

TEST(RedisClient, AnswersComeInTheOrderOfTheCommands) {
    const auto redis = client();
    const std::string key = fresh_prefix();
    std::vector<std::int64_t> answers;
    std::promise<void> last;
    for (int i = 1; i <= 1000; ++i) {
        redis->command({"INCR", key}, [&, i](const Result<Reply>& reply) {
            answers.push_back(reply ? reply->integer : -1);
            if (i == 1000) last.set_value();
        });
    }
    last.get_future().get();
    ASSERT_EQ(answers.size(), 1000U);
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i], static_cast<std::int64_t>(i) + 1);
}

TEST(RedisClient, AnErrorOfTheServerIsTheErrorOfTheCommand) {
    const auto redis = client();
    const auto reply = redis->ask({"INCR"});
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().message, HasSubstr("wrong number of arguments"));
    EXPECT_TRUE(redis->ask({"PING"})) << "the connection stays";
}

TEST(RedisClient, UsesTheDatabaseOfTheUrl) {
    const std::string key = fresh_prefix();
    ASSERT_TRUE(client()->ask({"SET", key, "0"}));
    Settings other = settings();
    other.database = 3;
    EXPECT_EQ(client(other)->ask({"EXISTS", key})->integer, 0);
}

TEST(RedisClient, SaysWhyItCannotBeOpenedWithoutThePassword) {
    Settings nobody = settings();
    nobody.port = 1;
    EXPECT_THAT(why_not(nobody), AllOf(HasSubstr("Redis at 127.0.0.1:1 "), HasSubstr("Connection refused")));
    Settings wrong = settings();
    wrong.password = "pa55word";
    EXPECT_THAT(why_not(wrong), AllOf(HasSubstr("it refuses this server"), Not(HasSubstr("pa55word"))));
    Settings nowhere = settings();
    nowhere.host = "no.such.host.invalid";
    EXPECT_THAT(why_not(nowhere), HasSubstr("no.such.host.invalid"));
}

TEST(RedisClient, AUserAndPasswordAreGiven) {
    const auto admin = client();
    ASSERT_TRUE(admin->ask({"ACL", "SETUSER", "parley", "on", ">s3cret", "~*", "&*", "+@all"}));
    Settings user = settings();
    user.user = "parley";
    user.password = "s3cret";
    EXPECT_EQ(client(user)->ask({"ACL", "WHOAMI"})->text, "parley");
    ASSERT_TRUE(admin->ask({"ACL", "DELUSER", "parley"}));
}

TEST(RedisClient, AServerThatTakesTheConnectionAndSaysNothingIsGivenUp) {
    const contract::SilentServer silent;
    Settings wanted = settings();
    wanted.port = silent.port();
    wanted.connect_limit = milliseconds{300};
    EXPECT_THAT(why_not(wanted), HasSubstr("no answer within"));
}

TEST(RedisClient, AServerThatHangsFailsTheCommandInTimeAndIsFoundAgain) {
    const auto redis = client();
    ASSERT_TRUE(redis->ask({"PING"}));
    ::kill(server().pid(), SIGSTOP);
    const auto hung = redis->ask({"PING"});
    EXPECT_FALSE(hung);
    EXPECT_NE(redis->trouble(), "");
    EXPECT_FALSE(redis->ask({"PING"})) << "at once, while it is down";
    ::kill(server().pid(), SIGCONT);
    const auto deadline = kClock.steady() + seconds{10};
    while (!redis->trouble().empty() && kClock.steady() < deadline) std::this_thread::yield();
    EXPECT_TRUE(redis->ask({"PING"}));
}

TEST(RedisClient, AConnectionThatHasNothingToSayFindsOutThatTheServerHangs) {
    const auto redis = client();
    ::kill(server().pid(), SIGSTOP);
    const auto deadline = kClock.steady() + seconds{10};
    while (redis->trouble().empty() && kClock.steady() < deadline) std::this_thread::yield();
    EXPECT_THAT(redis->trouble(), HasSubstr("no answer within"));
    ::kill(server().pid(), SIGCONT);
}

TEST(FleetClaim, AServerWithAnotherLogIsRefused) {
    const std::string prefix = fresh_prefix();
    const auto first = FleetClaim::make(client(), prefix, "store 1");
    EXPECT_TRUE(first);
    EXPECT_TRUE(FleetClaim::make(client(), prefix, "store 1"));
    const auto other = FleetClaim::make(client(), prefix, "embedded 2");
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message,
                AllOf(HasSubstr("another log (store 1; here embedded 2)"), HasSubstr("redis.prefix")));
    EXPECT_TRUE(FleetClaim::make(client(), fresh_prefix(), "embedded 2"));
}

}  // namespace
}  // namespace parley::redis
