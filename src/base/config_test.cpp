#include "base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/config_keys.h"

namespace parley {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Result<Config> from_file(std::string_view toml) { return Config::load_text(toml, "parley.toml", {}); }
Result<Config> from_flags(std::vector<ConfigFlag> flags) { return Config::load({.flags = std::move(flags)}); }
Result<Config> from_environment(std::vector<std::string> environment) {
    return Config::load({.environment = std::move(environment)});
}
std::string problem(const Result<Config>& config) { return config ? "loaded" : config.error().message; }

TEST(Config, RunsWithoutAnySource) {
    const auto config = Config::load({});
    ASSERT_TRUE(config) << problem(config);
    EXPECT_EQ(config->get(keys::listen), "127.0.0.1:8080");
    EXPECT_EQ(config->get(keys::limits_max_sessions), 10'000);
    EXPECT_EQ(config->get(keys::limits_message), 128_KiB);
    EXPECT_EQ(config->get(keys::presence_grace), seconds{15});
    EXPECT_GT(config->get(keys::rate_send).count, 0U);
    EXPECT_TRUE(config->get(keys::origins_allowed).empty());
    EXPECT_TRUE(config->is_default(keys::listen));
}

TEST(Config, ReadsEveryTypeFromAFileAndRemembersTheLine) {
    const auto config = from_file(R"(
listen = "[::1]:9000"
rooms.auto_create = false
[limits]
max_sessions = 5
message = "64KiB"
send_buffer = 65536
[presence]
grace = 500
[rate]
send = "5/1m"
[origins]
allowed = ["https://*.example.org", "*"]
)");
    ASSERT_TRUE(config) << problem(config);
    EXPECT_EQ(config->get(keys::listen), "[::1]:9000");
    EXPECT_FALSE(config->get(keys::rooms_auto_create));
    EXPECT_EQ(config->get(keys::limits_max_sessions), 5);
    EXPECT_EQ(config->get(keys::limits_message), 64_KiB);
    EXPECT_EQ(config->get(keys::limits_send_buffer), 64_KiB);
    EXPECT_EQ(config->get(keys::presence_grace), milliseconds{500});
    EXPECT_EQ(config->get(keys::rate_send), (Rate{5, seconds{60}}));
    EXPECT_THAT(config->get(keys::origins_allowed), ElementsAre("https://*.example.org", "*"));
    EXPECT_EQ(config->origin(keys::limits_max_sessions), "parley.toml:5");
    EXPECT_FALSE(config->is_default(keys::limits_max_sessions));
}

TEST(Config, NobodyIsWarnedOfADrainWhereOnlyThisMachineConnects) {
    for (const char* own : {"", "listen = \"localhost:1\"", "listen = \"[::1]:1\"", "listeners = [\"unix:/tmp/p\"]"}) {
        const auto config = from_file(own);
        ASSERT_TRUE(config) << problem(config);
        EXPECT_EQ(config->get(keys::drain_notice), milliseconds{0}) << own;
        EXPECT_THAT(config->show(), HasSubstr("drain.notice = \"0")) << own;
    }
    for (const char* open : {"listen = \"0.0.0.0:1\"", "listeners = [\"http://10.0.0.7:1\"]",
                             "proxies.trusted = [\"127.0.0.1\"]", "listen = \"chat.example:1\""}) {
        const auto config = from_file(open);
        ASSERT_TRUE(config) << problem(config);
        EXPECT_EQ(config->get(keys::drain_notice), seconds{5}) << open;
    }
    EXPECT_EQ(from_flags({{"drain.notice", "2s", "--set"}})->get(keys::drain_notice), seconds{2});
}

TEST(Config, FlagsWinOverEnvironmentOverFile) {
    const auto config = Config::load_text(
        "limits.max_sessions = 1\nlimits.subscriptions = 1\nthreads = 1", "a.toml",
        {.environment = {"PARLEY_LIMITS_MAX_SESSIONS=2", "PARLEY_THREADS=2"}, .flags = {{"threads", "3", "--set"}}});
    ASSERT_TRUE(config) << problem(config);
    EXPECT_EQ(config->get(keys::limits_subscriptions), 1);
    EXPECT_EQ(config->get(keys::limits_max_sessions), 2);
    EXPECT_EQ(config->get(keys::threads), 3);
    EXPECT_EQ(config->origin(keys::limits_max_sessions), "environment PARLEY_LIMITS_MAX_SESSIONS");
    EXPECT_EQ(config->origin(keys::threads), "--set");
}

TEST(Config, LoadsAFileAndRefusesOneThatIsNotThere) {
    const auto dir = std::filesystem::path{testing::TempDir()} / "parley-config-test";
    std::filesystem::create_directories(dir);
    std::ofstream{dir / "a.toml"} << "threads = 7\n";
    std::ofstream{dir / "empty.toml"} << "";
    const auto config = Config::load({.file = dir / "a.toml"});
    ASSERT_TRUE(config) << problem(config);
    EXPECT_EQ(config->get(keys::threads), 7);
    EXPECT_TRUE(Config::load({.file = dir / "empty.toml"}));
    EXPECT_THAT(problem(Config::load({.file = dir / "none.toml"})), HasSubstr("none.toml: cannot be read"));
    EXPECT_THAT(problem(Config::load({.file = dir})), HasSubstr("cannot be read"));
}

TEST(Config, UnknownKeyInAFileIsRefusedWithItsLineAndTheLikelyName) {
    EXPECT_EQ(problem(from_file("\n[limits]\nmax_sesions = 5")),
              "parley.toml:3: limits.max_sesions: unknown key; did you mean limits.max_sessions?");
    EXPECT_EQ(problem(from_file("[zzz]\nqqqqqqqqqq = 5")), "parley.toml:2: zzz.qqqqqqqqqq: unknown key");
}

TEST(Config, UnknownVariableOfOurPrefixIsRefusedAndOthersArePassedOver) {
    EXPECT_EQ(problem(from_environment({"PATH=/bin", "PARLEY_AUTH_SECERT=x"})),
              "environment: PARLEY_AUTH_SECERT: unknown key; did you mean PARLEY_AUTH_SECRET?");
    EXPECT_TRUE(from_environment({"PATH=/bin", "parley_x=1"}));
}

TEST(Config, UnknownFlagIsRefused) {
    EXPECT_EQ(problem(from_flags({{"listne", "127.0.0.1:1"}})), "--set: listne: unknown key; did you mean listen?");
}

TEST(Config, KeysOfServicesNotBuiltInAreSaidToBeMissingRatherThanUnknown) {
    EXPECT_EQ(problem(from_file("nats.creds = \"a\"")), "parley.toml:1: nats.creds: not built in this version");
    EXPECT_EQ(problem(from_file("redis.urll = \"redis://a\"")),
              "parley.toml:1: redis.urll: unknown key; did you mean redis.url?");
}

TEST(Config, NamesThatScriptsRelyOnMayBeSetWhateverTheVersion) {
    const auto config = from_file("nats.url = \"nats://u:pw@a\"\nrabbitmq.url = \"amqp://u:pw@a\"");
    ASSERT_TRUE(config) << problem(config);
    EXPECT_THAT(config->show(), Not(HasSubstr("pw@")));
    EXPECT_TRUE(from_environment({"PARLEY_NATS_URL=nats://a", "PARLEY_MYSQL_URL=mysql://a"}));
    EXPECT_EQ(problem(from_file("log.kind = \"jetstream\"\nnats.url = \"nats://a\"")),
              "parley.toml:1: log.kind: \"jetstream\" is not built in this version: embedded, store, kafka");
    for (const char* chosen :
         {"log.kind = \"redis-streams\"", "bus.kind = \"rabbitmq\"", "bus.kind = \"nats\"", "store.kind = \"mysql\""}) {
        EXPECT_THAT(problem(from_file(chosen)), HasSubstr("is not built in this version")) << chosen;
    }
    EXPECT_EQ(problem(from_file("bus.kind = \"redsi\"")),
              "parley.toml:1: bus.kind: \"redsi\" is not one of inproc, redis");
}

TEST(Config, InvalidTomlIsRefusedWithItsLine) {
    EXPECT_THAT(problem(from_file("threads = 1\nlisten = ")), HasSubstr("parley.toml:2: not valid TOML: "));
    EXPECT_THAT(problem(from_file("threads = 1\nthreads = 2")), HasSubstr("parley.toml:2: not valid TOML: "));
}

TEST(Config, TableNameThatBeginsWithADotIsRefused) {
    EXPECT_THAT(problem(from_file("\n[..b]\nd = 1")), HasSubstr("parley.toml:2: not valid TOML: "));
}

TEST(Config, LetterOutsideQuotesIsRefusedWhateverItsAlphabet) {
    for (const char* letter : {"é", "Х", "한"}) {
        EXPECT_THAT(problem(from_file(std::string{"threads = 1"} + letter)),
                    HasSubstr("parley.toml:1: not valid TOML: "));
    }
}

TEST(Config, NestingWithoutEndIsRefused) {
    std::string deep = "a";
    for (int i = 0; i < 50; ++i) deep += ".a";
    EXPECT_THAT(problem(from_file(deep + " = 1")), HasSubstr("unknown key"));
    for (int i = 0; i < 5000; ++i) deep += ".a";
    EXPECT_THAT(problem(from_file(deep + " = 1")), HasSubstr("too many dots"));
    EXPECT_THAT(problem(from_file(std::string((1 << 20) + 1, '\n'))), HasSubstr("larger than 1 MiB"));
}

struct BadValue {
    const char* toml;
    const char* says;
};
class ConfigRefuses : public testing::TestWithParam<BadValue> {};
TEST_P(ConfigRefuses, ABadValueNamingKeyAndLine) {
    EXPECT_THAT(problem(from_file(GetParam().toml)), AllOf(HasSubstr("parley.toml:1: "), HasSubstr(GetParam().says)));
}
INSTANTIATE_TEST_SUITE_P(
    Values, ConfigRefuses,
    testing::Values(BadValue{"limits.max_sessions = 0", "limits.max_sessions: \"0\" is not between 1 and 100000000"},
                    BadValue{"limits.max_sessions = \"5\"",
                             "limits.max_sessions: expected a whole number without quotes"},
                    BadValue{"rate.enabled = \"true\"", "rate.enabled: expected true or false without quotes"},
                    BadValue{"rate.enabled = 1", "rate.enabled: expected true or false without quotes"},
                    BadValue{"listen = 8080", "listen: expected a text in quotes"},
                    BadValue{"listen = \"8080\"", "listen: \"8080\": expected HOST:PORT"},
                    BadValue{"listen = \"127.0.0.1:65536\"", "expected HOST:PORT"},
                    BadValue{"listen = \"::1:80\"", "expected HOST:PORT"},
                    BadValue{"data_dir = \"\"", "data_dir: \"\": may not be empty"},
                    BadValue{"presence.grace = \"10 parsecs\"", "is not a duration such as"},
                    BadValue{"presence.grace = \"-1s\"", "is not a duration such as"},
                    BadValue{"presence.grace = \"999999999999999999d\"", "is not a duration such as"},
                    BadValue{"limits.send_time = \"1ms\"", "is not between 100ms and 1h"},
                    BadValue{"limits.message = \"128kb\"", "is not a size such as"},
                    BadValue{"limits.message = \"10\"", "is not between 1KiB and 64MiB"},
                    BadValue{"limits.message = true", "expected a size"},
                    BadValue{"limits.message = 1.5", "expected a text in quotes, a whole number"},
                    BadValue{"rate.send = \"60\"", "is not a rate such as 60/10s"},
                    BadValue{"rate.send = \"0/1s\"", "is not between 1 and"},
                    BadValue{"rate.send = \"-1/1s\"", "is not between 1 and"},
                    BadValue{"stomp.heartbeat = \"30000\"", "expected two numbers of milliseconds"},
                    BadValue{"stomp.heartbeat = \"1,2,3\"", "expected two numbers of milliseconds"},
                    BadValue{"auth.algorithm = \"none\"", "is not one of HS256, HS384, HS512, RS256, ES256"},
                    BadValue{"auth.algorithm = \"RS256\"", "auth.algorithm=RS256 needs auth.public_key"},
                    BadValue{"admin.listen = \"127.0.0.1:1\"", "admin.listen needs admin.token"},
                    BadValue{"store.kind = \"postgres\"", "store.kind=postgres needs postgres.url"},
                    BadValue{"bus.kind = \"redis\"", "bus.kind=redis needs redis.url"},
                    BadValue{"cache.kind = \"redis\"", "cache.kind=redis needs redis.url"},
                    BadValue{"bus.kind = \"redis\"\nredis.url = \"redis://a\"",
                             "bus.kind=redis needs auth.secret, the same on every server"},
                    BadValue{"cache.kind = \"redis\"\nredis.url = \"redis://a\"",
                             "cache.kind=redis needs auth.secret, the same on every server"},
                    BadValue{"store.kind = \"mongodb\"", "store.kind=mongodb needs mongodb.url"},
                    BadValue{"log.kind = \"store\"", "log.kind=store needs a database that several servers can share"},
                    BadValue{"log.kind = \"kafka\"", "log.kind=kafka needs kafka.brokers"},
                    BadValue{"worker.roles = [\"none\"]\nlog.kind = \"kafka\"\nkafka.brokers = \"a:1\"",
                             "worker.roles without db-writer needs store.kind=postgres"},
                    BadValue{"worker.roles = [\"db_writer\"]", "expected notification, analytics, db-writer or none"},
                    BadValue{"worker.listen = \"https://127.0.0.1:1\"", "expected HOST:PORT"},
                    BadValue{"worker.listen = \"127.0.0.1:1 proxy_protocol\"", "expected HOST:PORT"},
                    BadValue{"kafka.topics.chat = \"my topic\"", "expected a name of A-Z"},
                    BadValue{"kafka.topics.chat = \"\"", "expected a topic's name"},
                    BadValue{"kafka.compression = \"lzma\"", "is not one of snappy, lz4, zstd, gzip, none"},
                    BadValue{"postgres.schema = \"my-own\"", "expected a name of a-z, 0-9 and _"},
                    BadValue{"mongodb.database = \"a.b\"", "expected a name of a-z, 0-9 and _"},
                    BadValue{"postgres.schema = \"1st\"", "expected a name of a-z, 0-9 and _"},
                    BadValue{"origins.allowed = [\"example.org\"]", "expected * or scheme://host"},
                    BadValue{"origins.allowed = [\"https://a.org/x\"]", "an origin ends after host and port"},
                    BadValue{"origins.allowed = [1]", "a list may hold texts in quotes only"},
                    BadValue{"listen = [\"127.0.0.1:1\"]", "listen: expected a text in quotes"},
                    BadValue{"threads = [\"1\"]", "threads: expected a whole number"}));

TEST(Config, SecretTooShortIsRefusedWithoutSayingIt) {
    const std::string message = problem(from_file("auth.secret = \"hunter2\""));
    EXPECT_THAT(message, AllOf(HasSubstr("auth.secret"), HasSubstr("32 bytes"), Not(HasSubstr("hunter2"))));
}

TEST(Config, SecretMayBeBase64OfEnoughBytes) {
    const std::string good = "base64:" + std::string(42, 'A') + "A=";  // 32 bytes
    EXPECT_TRUE(from_flags({{"auth.secret", good}}));
    EXPECT_THAT(problem(from_flags({{"auth.secret", "base64:AAAA"}})), HasSubstr("32 bytes"));
    EXPECT_THAT(problem(from_flags({{"auth.secret", "base64:" + std::string(64, '!')}})), HasSubstr("no base64"));
    EXPECT_TRUE(from_flags({{"auth.secret", std::string(32, 'x')}}));
}

TEST(Config, ErrorIsOneLineWhateverTheValueHolds) {
    EXPECT_THAT(problem(from_flags({{"listen", "a\nb\x1b[2J"}})),
                Not(testing::AnyOf(HasSubstr("\n"), HasSubstr("\x1b"))));
    EXPECT_THAT(problem(from_flags({{"a\nb", "x"}})), Not(HasSubstr("\n")));
}

TEST(Config, SetFlagSplitsAtTheFirstEqualsSign) {
    const auto flag = parse_set_flag("auth.secret=base64:AA==");
    ASSERT_TRUE(flag);
    EXPECT_EQ(flag->name, "auth.secret");
    EXPECT_EQ(flag->value, "base64:AA==");
    EXPECT_FALSE(parse_set_flag("listen"));
    EXPECT_FALSE(parse_set_flag("=x"));
}

TEST(Config, EnvironmentOfTheProcessIsReducedToOurNames) {
    const char* const raw[] = {"HOME=/x", "PARLEY_LISTEN=127.0.0.1:1", "PARLEY_BIN=/x", "PARLEY_TEST_JOBS=2", nullptr};
    EXPECT_THAT(parley_environment(raw), ElementsAre("PARLEY_LISTEN=127.0.0.1:1"));
}

TEST(Config, ShowNamesEachOriginAndMasksSecrets) {
    const std::string secret(40, 's');
    const auto config =
        Config::load_text("threads = 2", "parley.toml", {.environment = {"PARLEY_AUTH_SECRET=" + secret}});
    ASSERT_TRUE(config) << problem(config);
    const std::string shown = config->show();
    EXPECT_THAT(shown, testing::ContainsRegex("threads = 2 +# parley.toml:1\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("auth.secret = \"\\*+\" +# environment PARLEY_AUTH_SECRET\n"));
    EXPECT_THAT(shown, testing::ContainsRegex("listen = \"127.0.0.1:8080\" +# default\n"));
    EXPECT_THAT(shown, Not(HasSubstr(secret)));
}

TEST(Config, WhatShowPrintsLoadsAgain) {
    const auto config =
        from_file("origins.allowed = [\"https://a.org\", \"*\"]\ndata_dir = 'a\"b\\c'\npresence.grace = 1500");
    ASSERT_TRUE(config) << problem(config);
    const auto again = from_file(config->show());
    ASSERT_TRUE(again) << problem(again);
    EXPECT_EQ(again->get(keys::data_dir), "a\"b\\c");
    EXPECT_EQ(again->get(keys::presence_grace), milliseconds{1500});
    EXPECT_EQ(again->get(keys::origins_allowed), config->get(keys::origins_allowed));
}

TEST(ConfigKeys, TableHoldsEveryKeyOfTheHeader) {
    std::ifstream header{"src/base/config_keys.h"};
    const std::string text{std::istreambuf_iterator<char>{header}, {}};
    ASSERT_FALSE(text.empty()) << "tests run in the root of the checkout";
    std::size_t declared = 0;
    for (std::size_t at = 0; (at = text.find("inline constexpr Key<", at)) != std::string::npos; ++at) ++declared;
    EXPECT_EQ(declared, all_keys().size());
}

TEST(ConfigKeys, EnvironmentNamesAreDistinct) {
    std::vector<std::string> names;
    for (const KeySpec* spec : all_keys()) names.push_back(environment_name(spec->name));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(ConfigKeys, DocumentationHoldsTheTable) {
    std::ifstream page{"docs/configuration.md"};
    const std::string text{std::istreambuf_iterator<char>{page}, {}};
    EXPECT_THAT(text, HasSubstr(Config::reference())) << "docs/configuration.md differs; its table is to be:\n"
                                                      << Config::reference();
}

TEST(ConfigKeys, HeartbeatAndAddressAreReadIntoTheirParts) {
    const auto beat = keys::parse_heartbeat("10000,0");
    EXPECT_EQ(beat.send, seconds{10});
    EXPECT_EQ(beat.receive, seconds{0});
    const auto address = keys::parse_address("[::1]:443");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->host, "::1");
    EXPECT_EQ(address->port, 443);
    EXPECT_FALSE(keys::parse_address("host"));
    EXPECT_FALSE(keys::parse_address(":80"));
    EXPECT_FALSE(keys::parse_address("h:+1"));
}

TEST(ConfigKeys, AListenerIsAnAddressWithItsOptions) {
    const auto plain = keys::parse_listen("http://[::1]:443/");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->address.host, "::1");
    EXPECT_FALSE(plain->proxy_protocol);
    const auto unix_socket = keys::parse_listen("unix:/run/parley.sock  proxy_protocol mode=0600");
    ASSERT_TRUE(unix_socket);
    EXPECT_EQ(unix_socket->path, "/run/parley.sock");
    EXPECT_EQ(unix_socket->mode, 0600U);
    EXPECT_TRUE(unix_socket->proxy_protocol);
    for (const char* text : {"", "unix:", "unix:run", "unix:/a mode=9", "unix:/a mode=01000", "127.0.0.1:1 mode=0600",
                             "127.0.0.1:1 proxy", "ftp://127.0.0.1:1", "http://127.0.0.1", "127.0.0.1:1/x"}) {
        EXPECT_FALSE(keys::parse_listen(text)) << text;
    }
}

TEST(ConfigKeys, ProxyHeadersNeedSomebodyToBelieve) {
    EXPECT_THAT(problem(from_flags({{"listeners", "127.0.0.1:1 proxy_protocol"}})), HasSubstr("needs proxies.trusted"));
    EXPECT_THAT(problem(from_flags({{"proxies.trusted", "10.0.0.1/8"}})), HasSubstr("expected a network"));
    EXPECT_TRUE(from_flags({{"listen", "127.0.0.1:1 proxy_protocol"}, {"proxies.trusted", "10.0.0.0/8, unix:"}}));
}

}  // namespace
}  // namespace parley
