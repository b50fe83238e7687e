#include <gmock/gmock.h>

#include <thread>

#include "adapters/postgres/database.h"
#include "adapters/postgres/database_fixture.h"
#include "adapters/postgres/postgres_directory.h"

namespace parley::postgres {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::literals;

/// As an operator at psql.
void psql(const std::string& sql, const Settings& settings) {
    const auto connection = Connection::open(settings, in(5s));
    ASSERT_TRUE(connection) << connection.error().message;
    const auto done = (*connection)->script(sql, in(5s));
    ASSERT_TRUE(done) << done.error().message;
}

/// The one line that the start ends with.
std::string refusal(const Settings& settings, Schema schema = Schema::kMigrate) {
    const auto pool = open_database(settings, schema);
    return pool ? "" : pool.error().message;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

TEST(Database, ServersThatStartTogetherMakeTheTablesOnce) {
    const Settings settings = fresh_settings();
    std::vector<std::thread> servers;
    for (int i = 0; i < 4; ++i) servers.emplace_back([&] { EXPECT_EQ(refusal(settings), ""); });
    for (auto& server : servers) server.join();
}

TEST(Database, WhatIsThereIsFoundAgain) {
    const Settings settings = fresh_settings();
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    ASSERT_TRUE(PostgresDirectory{open_pool(settings)}.add_room(room, ""));
    EXPECT_TRUE(*PostgresDirectory{open_pool(settings)}.room(room.id));
}

TEST(Database, TablesOfALaterVersionStopTheStart) {
    const Settings settings = fresh_settings();
    open_pool(settings);
    psql("INSERT INTO versions (version) VALUES (1000)", settings);
    EXPECT_THAT(refusal(settings),
                AllOf(HasSubstr("schema " + settings.schema + " are of version 1000"), Not(HasSubstr("\n"))));
}

TEST(Database, ARowOfALaterFormatIsToldRatherThanMisread) {
    const Settings settings = fresh_settings();
    PostgresDirectory directory{open_pool(settings)};
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    ASSERT_TRUE(directory.add_room(room, ""));
    psql("UPDATE rooms SET v = 99", settings);
    const auto found = directory.room(room.id);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::kStoreUnavailable);
    EXPECT_THAT(found.error().message, HasSubstr("a row has format 99"));
}

TEST(Database, ALookMakesNoTables) {
    const Settings settings = fresh_settings();
    EXPECT_THAT(refusal(settings, Schema::kAsItIs), HasSubstr("there are no tables"));
    open_pool(settings);
    EXPECT_EQ(refusal(settings, Schema::kAsItIs), "");
}

TEST(Database, WhoCannotBeReachedOrRefusesIsSaidInOneLineWithoutThePassword) {
    Settings wrong = fresh_settings();
    wrong.url = replaced(wrong.url, ":parley@", ":pa55word@");
    EXPECT_THAT(refusal(wrong), AllOf(HasSubstr("password authentication failed for user \"parley\""),
                                      Not(HasSubstr("pa55word")), Not(HasSubstr("\n"))));
    wrong.url = "postgres://parley:pa55word@127.0.0.1:1/parley";
    EXPECT_THAT(refusal(wrong),
                AllOf(HasSubstr("Connection refused"), Not(HasSubstr("pa55word")), Not(HasSubstr("\n"))));
    wrong.url = fresh_settings().url + "_not";
    EXPECT_THAT(refusal(wrong), HasSubstr("database \"parley_not\" does not exist"));
}

TEST(Database, MissingRightsAreNamed) {
    Settings settings = fresh_settings();
    psql("CREATE ROLE guest LOGIN PASSWORD 'guest'", settings);
    settings.url = replaced(settings.url, "parley:parley@", "guest:guest@");
    EXPECT_THAT(refusal(settings), HasSubstr("permission denied for database parley"));
}

TEST(Database, AServerThatMayLoseWhatItCommittedIsRefused) {
    Settings settings = fresh_settings();
    psql("ALTER ROLE parley SET synchronous_commit = off", settings);
    EXPECT_THAT(refusal(settings), HasSubstr("synchronous_commit is off"));
    Settings sure = settings;
    sure.url += "?options=-csynchronous_commit%3Don";
    psql("ALTER ROLE parley RESET synchronous_commit", sure);
    EXPECT_EQ(refusal(settings), "");
}

TEST(Database, MembersThatBelongToOneLogAreNotTakenForAnothers) {
    const auto pool = open_pool(fresh_settings());
    EXPECT_TRUE(claim_for_log(*pool, "1700000000000"));
    EXPECT_TRUE(claim_for_log(*pool, "1700000000000"));
    const auto other = claim_for_log(*pool, kStoreLog);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message,
                HasSubstr("belongs to the embedded log 1700000000000, this server has log.kind=store"));
}

TEST(Database, ATextThatNoColumnHoldsIsRefusedAndHarmsNothing) {
    PostgresDirectory directory{open_pool(fresh_settings())};
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    for (const std::string& name : {"a\0b"s, "\xff"s}) {
        room.name = name;
        EXPECT_EQ(directory.add_room(room, "").error().code, Code::kInvalidPayload);
    }
    room.name = "fine";
    EXPECT_TRUE(directory.add_room(room, ""));
}

TEST(Database, MoreAskersThanConnectionsTakeTurns) {
    Settings settings = fresh_settings();
    settings.connections = 2;
    PostgresDirectory directory{open_pool(settings)};
    std::vector<std::thread> askers;
    for (int i = 0; i < 8; ++i)
        askers.emplace_back([&] {
            for (int n = 0; n < 20; ++n) EXPECT_TRUE(directory.room(RoomId::trusted("r-1")));
        });
    for (auto& asker : askers) asker.join();
}

}  // namespace
}  // namespace parley::postgres
