#include <array>
#include <fstream>
#include <set>

#include "adapters/kafka/client.h"
#include "adapters/kafka/handles.h"
#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/murmur2.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/shared_reader.h"
#include "adapters/kafka/topic.h"
#include "base/uuid.h"

namespace parley::kafka {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string name(const char* what, int number) { return what + std::to_string(number); }

/// Until the table has this many of the room's.
void wait_for_rows(log::MessageTable& table, const std::string& room, std::uint64_t count) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (table.head(RoomId::trusted(room))->head.value < count) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "the writers do not come that far";
        std::this_thread::yield();
    }
}

/// Servers with a table and its writer in common.
struct Fleet {
    explicit Fleet(std::uint32_t partitions, std::size_t servers)
        : settings(fresh_settings(broker().url(), partitions)) {
        for (std::size_t i = 0; i < servers; ++i) join();
    }
    void join() {
        nodes.push_back(std::make_unique<Node>(settings, *shared.table));
        TableWriterOptions options;
        options.on_trouble = [](const std::string& why) { EXPECT_EQ(why, ""); };
        writers.push_back(std::move(*TableWriter::open(settings, std::move(options), *shared.table)));
    }
    void wait_for_rows(const std::string& room, std::uint64_t count) {
        parley::kafka::wait_for_rows(*shared.table, room, count);
    }
    OwnTable shared;
    Settings settings;
    std::vector<std::unique_ptr<Node>> nodes;
    std::vector<std::unique_ptr<TableWriter>> writers;
};

TEST(Fleet, WhateverServerARecordCameThroughAllServersTellIt) {
    constexpr int kServers = 3, kRooms = 8, kEach = 120;
    Fleet fleet{6, kServers};
    std::set<std::uint32_t> used;
    for (int r = 0; r < kRooms; ++r) used.insert(partition_of(name("r-", r), 6));
    ASSERT_GE(used.size(), 4U) << "the rooms are to spread over the partitions";
    std::vector<std::thread> senders;
    for (int s = 0; s < kServers; ++s)
        senders.emplace_back([&, s] {
            std::vector<std::future<Node::Answer>> answers;
            for (int n = 0; n < kEach; ++n) {
                answers.push_back(fleet.nodes[s]->send(name("r-", n % kRooms), name("u-", s), name("own-", n)));
                // The same message at every server, as by a client that tries them in turn.
                answers.push_back(fleet.nodes[s]->send(name("r-", n % kRooms), "u-common", name("common-", n)));
            }
            for (auto& answer : answers) EXPECT_TRUE(answer.get());
        });
    for (auto& sender : senders) sender.join();
    for (int r = 0; r < kRooms; ++r) {
        const std::string room = name("r-", r);
        const std::size_t expected = (kServers + 1) * (kEach / kRooms);
        const auto first = ids(fleet.nodes[0]->heard(room, expected));
        EXPECT_EQ(first.size(), expected);
        for (int s = 0; s < kServers; ++s) {
            EXPECT_EQ(ids(fleet.nodes[s]->heard(room, expected)), first) << "server " << s << ", " << room;
            EXPECT_EQ(ids(fleet.nodes[s]->all(room)), first);
        }
        std::map<std::string, int> next;
        for (const auto& message : fleet.nodes[0]->all(room)) {
            if (message->sender.str() == "u-common") continue;
            int& own = next.try_emplace(message->sender.str(), r).first->second;
            EXPECT_EQ(message->id.str(), name("own-", own)) << "a sender's order";
            own += kRooms;
        }
    }
}

TEST(Fleet, AServerFromTheBeginningAndOneFromTheTableNumberAlike) {
    Fleet fleet{4, 1};
    const auto send = [&](int from, int to) {
        std::vector<std::future<Node::Answer>> answers;
        for (int n = from; n < to; ++n)
            answers.push_back(fleet.nodes[0]->send(name("r-", n % 3), "u", name("m-", n * 7 % 400)));
        for (auto& answer : answers) EXPECT_TRUE(answer.get());
    };
    send(0, 600);
    for (int r = 0; r < 3; ++r) fleet.wait_for_rows(name("r-", r), fleet.nodes[0]->all(name("r-", r)).size());
    fleet.join();  // from the table
    OwnTable empty;
    Node from_beginning{fleet.settings, *empty.table};
    send(600, 900);
    for (int r = 0; r < 3; ++r) {
        const auto room = name("r-", r);
        const auto expected = fleet.nodes[0]->all(room);
        fleet.nodes[1]->heard(room, 1);
        for (Node* other : {fleet.nodes[1].get(), &from_beginning}) {
            const auto limit = std::chrono::steady_clock::now() + 10s;
            while (other->log().head(RoomId::trusted(room))->head.value < expected.size())
                ASSERT_LT(std::chrono::steady_clock::now(), limit);
            const auto found = other->all(room);
            ASSERT_EQ(found.size(), expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(to_json(*found[i]), to_json(*expected[i]));
        }
    }
}

TEST(Fleet, ARepeatAtAnotherServerIsAnsweredWithTheFirstsSeq) {
    Fleet fleet{3, 2};
    const auto first = fleet.nodes[0]->send("r-1", "u-1", "m-1").get();
    const auto again = fleet.nodes[1]->send("r-1", "u-1", "m-1").get();
    ASSERT_TRUE(first && again);
    EXPECT_FALSE(first->front().repeated);
    EXPECT_TRUE(again->front().repeated);
    EXPECT_EQ(again->front().seq, first->front().seq);
    EXPECT_EQ(again->front().created_at, first->front().created_at);
}

TEST(Fleet, OldMessagesComeFromTheTable) {
    const Settings settings = fresh_settings(broker().url());
    OwnTable own;
    KafkaLogOptions options;
    options.recent_limit = Bytes{20'000};
    options.ask_table_every = 10ms;
    Node node{settings, *own.table, std::move(options)};
    std::vector<std::future<Node::Answer>> answers;
    for (int n = 0; n < 200; ++n) answers.push_back(node.send("r-1", "u", name("m-", n), std::string(500, 'x')));
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    const auto early = node.log().read(RoomId::trusted("r-1"), {0}, 10, 1_MiB);
    ASSERT_FALSE(early) << "nobody has written the table, and here is no room for them";
    EXPECT_EQ(early.error().code, Code::kStoreUnavailable);
    const auto writer = std::move(*TableWriter::open(settings, {}, *own.table));
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (writer->stored() < 200) ASSERT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_EQ(node.all("r-1").size(), 200U);
    const auto before = node.log().read_before(RoomId::trusted("r-1"), {151}, 100, 1_MiB);
    ASSERT_TRUE(before);
    EXPECT_EQ(before->messages.size(), 100U);
    EXPECT_EQ(before->messages.front()->seq.value, 51U);
}

TEST(Start, RefusesATopicThatMayLoseMessages) {
    OwnTable own;
    const Settings compacted = fresh_settings(broker().url());
    make_topic(compacted, 1, {{"cleanup.policy", "compact"}});
    EXPECT_THAT(refusal(compacted, *own.table), HasSubstr("cleanup.policy=compact"));
    const Settings unclean = fresh_settings(broker().url());
    make_topic(unclean, 1, {{"unclean.leader.election.enable", "true"}});
    EXPECT_THAT(refusal(unclean, *own.table), HasSubstr("unclean.leader.election.enable=true"));
}

TEST(Start, RefusesAnotherShapeThanTheTableRemembers) {
    Settings settings = fresh_settings(broker().url());
    OwnTable own;
    ASSERT_EQ(refusal(settings, *own.table), "");
    settings.dedup_window = 50;
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("dedup window"));
    EXPECT_THAT(refusal(fresh_settings(broker().url()), *own.table), HasSubstr(settings.topic));
}

TEST(Start, RefusesATopicWithoutTheRecordsThatTheTableHasPositionsFor) {
    Settings settings = fresh_settings(broker().url());
    settings.connect_limit = 2s;
    OwnTable own;
    ASSERT_EQ(refusal(settings, *own.table), "");
    const std::vector<log::Position> ahead{{1, 77}};
    ASSERT_TRUE(own.table->store({}, ahead));
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("partition 1 holds offsets 0 to 0"));
}

TEST(Start, RefusesATopicWhoseRecordsAreOthersThanTheTables) {
    const Settings settings = fresh_settings(broker().url(), 1);
    OwnTable other;
    {
        Node node{settings, *other.table};
        for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(node.send("r-1", "u", id).get());
    }
    OwnTable own;
    auto client = Client::open(Client::Kind::kConsumer, settings, {}, nullptr);
    const auto facts = open_topic(**client, settings);
    ASSERT_TRUE(facts);
    const std::vector<log::Position> begin{{0, 0}};
    ASSERT_TRUE(own.table->claim({facts->cluster, settings.topic, 1, settings.dedup_window}, begin));
    auto message = std::make_shared<Message>();
    message->room = RoomId::trusted("r-1");
    message->sender = MemberId::trusted("u");
    message->id = MessageId::trusted("of another life");
    message->seq = {1};
    const std::vector<log::PlacedMessage> rows{{0, 1, message}};
    const std::vector<log::Position> behind{{0, 2}};
    ASSERT_TRUE(own.table->store(rows, behind));
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("the topic was made anew"));
}

TEST(Start, AnAddressWhereNobodyListensIsSaidInOneSentence) {
    Settings settings;
    settings.brokers = "127.0.0.1:9";
    settings.connect_limit = 700ms;
    OwnTable own;
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("127.0.0.1:9"));
    settings.properties = {{"security.protocol", "nonsense"}};
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("security.protocol"));
}

class Secure : public testing::Test {
protected:
    Secure() {
        std::ifstream file{broker().path("secure-brokers")};
        std::getline(file, settings_.brokers);
        settings_.properties = {{"security.protocol", "SASL_SSL"},
                                {"sasl.mechanism", "PLAIN"},
                                {"sasl.username", "parley"},
                                {"sasl.password", "parley"},
                                {"ssl.ca.location", broker().path("secure-ca.pem")}};
    }
    Settings settings_ = fresh_settings({});
    OwnTable own_;
};

TEST_F(Secure, SaslAndTlsArePassedThrough) {
    Node node{settings_, *own_.table};
    ASSERT_TRUE(node.send("r-1", "u", "a").get());
    const auto writer = std::move(*TableWriter::open(settings_, {}, *own_.table));
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (writer->stored() < 1) ASSERT_LT(std::chrono::steady_clock::now(), end);
}

TEST_F(Secure, AWrongPasswordAndAnUnknownAuthorityAreSaidAndThePasswordIsNot) {
    settings_.connect_limit = 2s;
    settings_.properties[3].second = "hunter2";
    const std::string password = refusal(settings_, *own_.table);
    EXPECT_THAT(password, HasSubstr("uthentication failed"));
    EXPECT_THAT(password, Not(HasSubstr("hunter2")));
    settings_.properties.pop_back();
    EXPECT_THAT(refusal(settings_, *own_.table), HasSubstr("certificate"));
}

TEST(Fleet, ARecordThatIsNoMessageIsLeftOutAndOneThatCannotBeReadKeepsItsPlace) {
    Fleet fleet{1, 2};
    ASSERT_TRUE(fleet.nodes[0]->send("r-1", "u", "a").get());
    std::atomic<int> sent{0};
    const auto stranger =
        std::move(*Producer::open(fleet.settings, 1, [&](std::uint64_t, std::uint32_t, const Error* why) {
            EXPECT_EQ(why, nullptr);
            ++sent;
        }));
    const auto poison = [&](const std::string& key, const std::string& value, const std::string& id = {}) {
        OutRecord record;
        record.key = key;
        record.value = value;
        if (!id.empty()) record.headers = {{"messageId", id}, {"senderId", "u"}};
        stranger->send(record, 1);
    };
    poison("", "{}");
    poison("no room's id", R"({"content":"hello"})");
    poison("r-1", R"({"content":"hello"})", "no message's id");
    poison("r-1", std::string("\xff\x00{{{", 5));
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (sent < 4) ASSERT_LT(std::chrono::steady_clock::now(), end);
    const auto last = fleet.nodes[1]->send("r-1", "u", "b").get();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->front().seq.value, 3U);
    fleet.wait_for_rows("r-1", 3);
    for (const auto& node : fleet.nodes) {
        const auto heard = node->heard("r-1", 3);
        EXPECT_THAT(heard[1]->content, HasSubstr("cannot be read"));
        EXPECT_EQ(node->log().stats().left_out, 3U);
    }
}

/// What a user without any right was given.
void grant(const Settings& settings, rd_kafka_ResourceType_t of, const std::string& name,
           const std::vector<rd_kafka_AclOperation_t>& rights) {
    const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
    const Queue queue{rd_kafka_queue_new(client->get())};
    for (const auto right : rights) {
        std::array<char, 256> why{};
        rd_kafka_AclBinding_t* acl =
            rd_kafka_AclBinding_new(of, name.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:guest", "*", right,
                                    RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why.data(), why.size());
        ASSERT_NE(acl, nullptr) << why.data();
        rd_kafka_CreateAcls(client->get(), &acl, 1, nullptr, queue.get());
        const Event event{rd_kafka_queue_poll(queue.get(), 10'000)};
        rd_kafka_AclBinding_destroy(acl);
        ASSERT_NE(event, nullptr);
        ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

class Guest : public Secure {
protected:
    Guest() {
        settings_.properties[2].second = settings_.properties[3].second = "guest";
        settings_.connect_limit = 2s;
        owner_.topic = settings_.topic;
        make_topic(owner_, 1, {});
    }
    void may(const std::vector<rd_kafka_AclOperation_t>& rights) {
        grant(owner_, RD_KAFKA_RESOURCE_TOPIC, settings_.topic, rights);
    }
    template <class Probe>
    static void eventually(Probe probe) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!probe()) ASSERT_LT(std::chrono::steady_clock::now(), end);
    }
    Settings owner_ = fresh_settings(broker().url());
};

TEST_F(Guest, ARightThatAStartNeedsAndIsMissingRefusesIt) {
    EXPECT_THAT(refusal(settings_, *own_.table), HasSubstr("topic " + settings_.topic + ": it cannot be used"));
    may({RD_KAFKA_ACL_OPERATION_DESCRIBE});
    settings_.connect_limit = 10s;
    EXPECT_THAT(refusal(settings_, *own_.table), HasSubstr("its settings cannot be read"));
}

TEST_F(Guest, WithoutTheRightToWriteSendersAreRefusedAndTheReasonIsTold) {
    may({RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS});
    settings_.connect_limit = 10s;
    std::mutex mutex;
    std::string said;
    KafkaLogOptions options;
    options.on_trouble = [&](const std::string& why) {
        const std::lock_guard lock{mutex};
        said += why;
    };
    Node node{settings_, *own_.table, std::move(options)};
    ASSERT_FALSE(node.send("r-1", "u", "a").get());
    eventually([&] {
        const std::lock_guard lock{mutex};
        return said.find("authorization failed") != std::string::npos && !node.log().stats().available;
    });
}

TEST_F(Guest, WithoutTheRightToTheGroupTheWriterSaysSoAndBeginsWhenItHasIt) {
    may({RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_DESCRIBE,
         RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS});
    settings_.connect_limit = 10s;
    Node node{settings_, *own_.table};
    ASSERT_TRUE(node.send("r-1", "u", "a").get());
    std::mutex mutex;
    std::string said;
    TableWriterOptions options;
    options.on_trouble = [&](const std::string& why) {
        const std::lock_guard lock{mutex};
        said += why;
    };
    const auto writer = std::move(*TableWriter::open(settings_, std::move(options), *own_.table));
    const std::string refused = "group " + settings_.group_prefix + "db-writer: Broker: Group authorization failed";
    eventually([&] {
        const std::lock_guard lock{mutex};
        return said.find(refused) != std::string::npos && !writer->is_well();
    });
    grant(owner_, RD_KAFKA_RESOURCE_GROUP, settings_.group_prefix + "db-writer",
          {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
    eventually([&] { return writer->stored() == 1 && writer->is_well(); });
}

TEST_F(Guest, WithoutTheRightToItsGroupARoleIsNotWellUntilItHasIt) {
    may({RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
    struct Nobody final : log::SharedReading::Listener {
        void on_assigned(std::uint32_t) override {}
        void on_record(std::uint32_t, std::uint64_t, const RoomId&) override {}
        void on_revoked(std::uint32_t) override {}
    } nobody;
    const auto reader = std::move(*SharedReader::open(
        settings_, "analytics", [] { return std::vector<std::uint64_t>(3); }, nobody));
    eventually([&] { return !reader->is_well(); });
    grant(owner_, RD_KAFKA_RESOURCE_GROUP, settings_.group_prefix + "analytics",
          {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
    eventually([&] { return reader->is_well(); });
}

/// A table that is away for the first store(), which waits for the word to fail.
class TableThatIsAwayOnce final : public log::MessageTable {
public:
    explicit TableThatIsAwayOnce(log::MessageTable& table) : table_(table) {}

    Result<> store(std::span<const log::PlacedMessage> rows, std::span<const log::Position> positions) override {
        if (std::exchange(is_first_, false)) {
            asked.set_value();
            fails.get_future().wait();
            return fail(Code::kStoreUnavailable, "away");
        }
        return table_.store(rows, positions);
    }
    Result<> claim(const log::TopicShape& shape, std::span<const log::Position> beginnings) override {
        return table_.claim(shape, beginnings);
    }
    Result<std::vector<log::Position>> positions() override { return table_.positions(); }
    Result<log::Checkpoint> checkpoint(std::uint32_t partition) override { return table_.checkpoint(partition); }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override {
        return table_.read(room, after, limit, max);
    }
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override {
        return table_.read_before(room, before, limit, max);
    }
    Result<log::RoomHead> head(const RoomId& room) override { return table_.head(room); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override { return table_.seek(room, time); }

    std::promise<void> asked;
    std::promise<void> fails;

private:
    log::MessageTable& table_;
    bool is_first_ = true;
};

TEST(Writer, StoppedWhileItsTableIsAwayLeavesNoGap) {
    constexpr int kBatch = 10;
    const Settings settings = fresh_settings(broker().url(), 1);
    OwnTable own;
    Node node{settings, *own.table};
    TableThatIsAwayOnce table{*own.table};
    std::vector<std::string> told;
    std::promise<void> in_trouble;
    TableWriterOptions options;
    options.batch_messages = kBatch;
    options.batch_time = options.between_tries = 1h;
    options.on_trouble = [&](const std::string& why) {
        told.push_back(why);
        if (why == "away") in_trouble.set_value();
    };
    auto writer = std::move(*TableWriter::open(settings, std::move(options), table));
    const auto send = [&](const char* room, int count) {
        for (int n = 0; n < count; ++n) ASSERT_TRUE(node.send(room, "u", std::to_string(n)).get());
    };
    send("r-1", kBatch);
    ASSERT_EQ(table.asked.get_future().wait_for(30s), std::future_status::ready);
    send("r-2", kBatch);      // handed over behind it
    send("r-3", kBatch - 1);  // gathered behind that
    table.fails.set_value();
    ASSERT_EQ(in_trouble.get_future().wait_for(30s), std::future_status::ready);
    writer.reset();
    EXPECT_EQ(own.table->positions()->at(0).next, 0U);
    EXPECT_EQ(own.table->head(RoomId::trusted("r-2"))->head.value, 0U);
    EXPECT_EQ(told, std::vector<std::string>{"away"}) << "nothing more was begun";
}

TEST(Writer, GoesOnInOrderWhenItsTableIsBack) {
    const Settings settings = fresh_settings(broker().url(), 1);
    OwnTable own;
    Node node{settings, *own.table};
    TableThatIsAwayOnce table{*own.table};
    TableWriterOptions options;
    options.batch_messages = 10;
    options.between_tries = 1ms;
    const auto writer = std::move(*TableWriter::open(settings, std::move(options), table));
    std::vector<std::future<Node::Answer>> answers;
    for (int n = 0; n < 100; ++n) answers.push_back(node.send("r-1", "u", std::to_string(n)));
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    table.fails.set_value();
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (writer->stored() < 100 || !writer->is_well()) ASSERT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_EQ(own.table->read(RoomId::trusted("r-1"), {0}, 1000, 1_MiB)->messages.size(), 100U);
}

TEST(Writer, WhoIsCutOffFromTheTableLosesItsPartitionsToOneThatIsNot) {
    constexpr int kBatch = 10, kBatches = 5;
    Settings settings = fresh_settings(broker().url(), 1);
    // The least that brokers allow, so that the test is short.
    settings.properties = {{"session.timeout.ms", "6000"}, {"max.poll.interval.ms", "6000"}};
    OwnTable own;
    Node node{settings, *own.table};
    TableThatIsAwayOnce silent{*own.table};
    const auto writer = [&](log::MessageTable& table) {
        TableWriterOptions options;
        options.batch_messages = kBatch;
        return std::move(*TableWriter::open(settings, std::move(options), table));
    };
    const auto send_all = [&] {
        std::vector<std::future<Node::Answer>> answers;
        for (int n = 0; n < kBatches * kBatch; ++n) answers.push_back(node.send("r-1", "u", random_hex(8)));
        for (auto& answer : answers) ASSERT_TRUE(answer.get());
    };
    const auto cut_off = writer(silent);
    send_all();
    ASSERT_EQ(silent.asked.get_future().wait_for(30s), std::future_status::ready);
    const auto other = writer(*own.table);
    wait_for_rows(*own.table, "r-1", kBatches * kBatch);
    silent.fails.set_value();
    send_all();
    wait_for_rows(*own.table, "r-1", 2 * kBatches * kBatch);
    EXPECT_EQ(own.table->positions()->at(0).next, 2U * kBatches * kBatch);
}

TEST(Writer, StopsWhereAnotherRecordIsKnownUnderASeq) {
    const Settings settings = fresh_settings(broker().url(), 1);
    OwnTable own;
    Node node{settings, *own.table};
    std::promise<std::string> stopped;
    TableWriterOptions options;
    options.on_trouble = [&](const std::string& why) { stopped.set_value(why); };
    const auto writer = std::move(*TableWriter::open(settings, std::move(options), *own.table));
    ASSERT_TRUE(node.send("r-1", "u", "a").get());
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (writer->stored() < 1) ASSERT_LT(std::chrono::steady_clock::now(), end);
    auto stranger = std::make_shared<Message>();
    stranger->room = RoomId::trusted("r-1");
    stranger->id = MessageId::trusted("stranger");
    stranger->seq = {2};
    const std::vector<log::PlacedMessage> rows{{0, 9, stranger}};
    ASSERT_TRUE(own.table->store(rows, {}));
    ASSERT_TRUE(node.send("r-1", "u", "b").get());
    auto why = stopped.get_future();
    ASSERT_EQ(why.wait_for(30s), std::future_status::ready);
    EXPECT_THAT(why.get(), HasSubstr("stopped: room r-1, message 2 is the record at 0:9 in the store and at 0:1"));
    EXPECT_FALSE(writer->is_running());
}

}  // namespace
}  // namespace parley::kafka
