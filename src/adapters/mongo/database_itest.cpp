#include <gmock/gmock.h>

#include <thread>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/database_fixture.h"
#include "adapters/mongo/mongo_directory.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::literals;

/// The one line that the start ends with.
std::string refusal(const Settings& settings, Schema schema = Schema::kMigrate) {
    const auto pool = open_database(settings, schema);
    return pool ? "" : pool.error().message;
}

store::RoomInfo a_room() {
    store::RoomInfo room;
    room.id = RoomId::trusted("r-1");
    return room;
}

TEST(Database, ServersThatStartTogetherMakeItOnce) {
    const Settings settings = fresh_settings();
    std::vector<std::thread> servers;
    for (int i = 0; i < 4; ++i) servers.emplace_back([&] { EXPECT_EQ(refusal(settings), ""); });
    for (auto& server : servers) server.join();
    EXPECT_EQ(shell_find(settings, find(collection::kMeta, {})).size(), 1u);
}

TEST(Database, WhatIsThereIsFoundAgainAfterTheServerRestarted) {
    const Settings settings = fresh_settings();
    ASSERT_TRUE(MongoDirectory{open_pool(settings)}.add_room(a_room(), ""));
    const auto epoch = epoch_of(*open_pool(settings));
    server().stop();
    server().start();
    EXPECT_TRUE(*MongoDirectory{open_pool(settings)}.room(a_room().id));
    EXPECT_EQ(epoch_of(*open_pool(settings)).value(), epoch.value());
    EXPECT_EQ(MongoDirectory{open_pool(settings)}.add_room(a_room(), "").error().code, Code::kRoomExists);
}

TEST(Database, OneOfALaterVersionStopsTheStart) {
    const Settings settings = fresh_settings();
    open_pool(settings);
    const Document later = Document{}.document("$set", Document{}.number("version", 1000));
    shell(settings, update(collection::kMeta, {change(Document{}.text("_id", kMetaId), later)}));
    EXPECT_THAT(refusal(settings),
                AllOf(HasSubstr("database " + settings.database + " is of version 1000"), Not(HasSubstr("\n"))));
}

TEST(Database, ADocumentOfALaterFormatIsToldRatherThanMisread) {
    const Settings settings = fresh_settings();
    MongoDirectory directory{open_pool(settings)};
    ASSERT_TRUE(directory.add_room(a_room(), ""));
    const Document later = Document{}.document("$set", Document{}.number("v", 99));
    shell(settings, update(collection::kRooms, {change(Document{}.text("_id", "r-1"), later)}));
    const auto found = directory.room(a_room().id);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::kStoreUnavailable);
    EXPECT_THAT(found.error().message, HasSubstr("a document has format 99"));
}

TEST(Database, ALookMakesNothing) {
    const Settings settings = fresh_settings();
    EXPECT_THAT(refusal(settings, Schema::kAsItIs), HasSubstr("nothing of this Parley's version is in database"));
    open_pool(settings);
    EXPECT_EQ(refusal(settings, Schema::kAsItIs), "");
}

TEST(Database, WhoCannotBeReachedOrRefusesIsSaidInOneLineWithoutThePassword) {
    Settings wrong = fresh_settings();
    wrong.url.insert(wrong.url.find("127"), "parley:pa55word@");
    EXPECT_THAT(refusal(wrong), AllOf(HasSubstr("MongoDB: "), Not(HasSubstr("pa55word")), Not(HasSubstr("\n"))));
    wrong.url = "mongodb://parley:pa55word@127.0.0.1:1/";
    EXPECT_THAT(refusal(wrong),
                AllOf(HasSubstr("connection refused"), Not(HasSubstr("pa55word")), Not(HasSubstr("\n"))));
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

TEST(Database, ATextThatIsNotUtf8IsRefusedAndHarmsNothing) {
    MongoDirectory directory{open_pool(fresh_settings())};
    store::RoomInfo room = a_room();
    room.name = "\xff";
    EXPECT_EQ(directory.add_room(room, "").error().code, Code::kInvalidPayload);
    room.name = "a\0b"s;
    ASSERT_TRUE(directory.add_room(room, ""));
    EXPECT_EQ((*directory.room(room.id))->name, "a\0b"s);
}

TEST(Database, MoreAskersThanConnectionsTakeTurns) {
    Settings settings = fresh_settings();
    settings.connections = 2;
    MongoDirectory directory{open_pool(settings)};
    std::vector<std::thread> askers;
    for (int i = 0; i < 8; ++i)
        askers.emplace_back([&] {
            for (int n = 0; n < 20; ++n) EXPECT_TRUE(directory.room(RoomId::trusted("r-1")));
        });
    for (auto& asker : askers) asker.join();
}

TEST(Database, ManyDocumentsComeInSeveralBatches) {
    const Settings settings = fresh_settings();
    std::vector<Document> rooms;
    for (int n = 0; n < 2500; ++n) rooms.push_back(Document{}.text("_id", std::to_string(n)).number("v", kFormat));
    for (auto at = rooms.begin(); at != rooms.end(); at += 500)
        shell(settings, insert(collection::kRooms, {at, at + 500}));
    EXPECT_EQ(shell_find(settings, find(collection::kRooms, {})).size(), 2500u);
}

}  // namespace
}  // namespace parley::mongo
