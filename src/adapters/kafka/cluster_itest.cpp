#include <signal.h>

#include <functional>
#include <sstream>

#include "adapters/kafka/handles.h"
#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/murmur2.h"

namespace parley::kafka {
namespace {

using testing::HasSubstr;

contract::Service& cluster() {
    static auto* const service = new contract::Service{"kafka", "NODES=3"};
    return *service;
}

std::string pid_file(int node) { return "node" + std::to_string(node) + "/pid"; }

/// Three brokers, three servers, and what they acknowledged while a broker was in trouble.
class BrokerFault : public testing::Test {
protected:
    static void SetUpTestSuite() { cluster().start(); }
    static void TearDownTestSuite() { cluster().stop(); }
    void SetUp() override {
        if (cluster().url().empty()) GTEST_SKIP() << "no cluster";
        // A topic gets as many replicas as there are brokers, and the one of the test before may not be back yet.
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        bool all_know_all = false;
        while (!all_know_all && std::chrono::steady_clock::now() < deadline) {
            all_know_all = true;
            std::istringstream addresses{cluster().url()};
            for (std::string one; std::getline(addresses, one, ',');)
                all_know_all = all_know_all && brokers_known_to(one) == 3;
        }
        ASSERT_TRUE(all_know_all);
    }
    static int brokers_known_to(const std::string& one) {
        const auto client = std::move(*Client::open(Client::Kind::kConsumer, fresh_settings(one), {}, nullptr));
        const rd_kafka_metadata_t* raw = nullptr;
        if (rd_kafka_metadata(client->get(), 0, nullptr, &raw, 5'000) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
        const Metadata metadata{raw};
        return metadata->broker_cnt;
    }
    /// As a node's number.
    static int leader_of(const Settings& settings, int partition = 0) {
        const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
        const TopicHandle topic{rd_kafka_topic_new(client->get(), settings.topic.c_str(), nullptr)};
        const rd_kafka_metadata_t* raw = nullptr;
        EXPECT_EQ(rd_kafka_metadata(client->get(), 0, topic.get(), &raw, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
        const Metadata metadata{raw};
        return metadata->topics[0].partitions[partition].leader - 1;
    }

    /// Three senders, each at the servers in turn, before, during and after.
    void expect_nothing_lost_or_doubled(const std::function<void()>& begin, const std::function<void()>& end) {
        const Settings settings = fresh_settings(cluster().url(), 6);
        OwnTable own;
        std::vector<std::unique_ptr<Node>> nodes;
        for (int i = 0; i < 3; ++i) nodes.push_back(std::make_unique<Node>(settings, *own.table));
        const auto writer = std::move(*TableWriter::open(settings, {}, *own.table));
        std::atomic<bool> enough{false};
        std::atomic<int> stored{0};
        std::vector<std::map<std::string, std::uint64_t>> told(3);
        std::vector<std::thread> senders;
        for (std::size_t s = 0; s < 3; ++s)
            senders.emplace_back([&, s] {
                for (std::size_t n = 0; !enough; ++n) {
                    const std::string id = std::to_string(s) + "." + std::to_string(n);
                    const auto answer = nodes[(s + n) % 3]->insist(room_of(n), "u", id);
                    ASSERT_TRUE(answer) << answer.error().message;
                    told[s][id] = answer->front().seq.value;
                    ++stored;
                }
            });
        const auto more = [&] {
            for (const int goal = stored + 60; stored < goal && !HasFailure();) std::this_thread::yield();
        };
        more();
        begin();
        more();
        end();
        more();
        enough = true;
        for (auto& sender : senders) sender.join();
        std::map<std::string, std::uint64_t> acknowledged;
        std::map<std::string, std::size_t> sizes;
        for (const auto& of_sender : told) {
            for (const auto& [id, seq] : of_sender) {
                acknowledged[id] = seq;
                ++sizes[room_of(std::stoul(id.substr(2)))];
            }
        }
        std::map<std::string, std::uint64_t> found;
        for (const auto& [room, size] : sizes) {
            const auto first = ids(nodes[0]->heard(room, size));
            for (const auto& node : nodes) {
                EXPECT_EQ(ids(node->heard(room, size)), first);
                EXPECT_EQ(ids(node->all(room)), first);
            }
            for (const auto& message : nodes[0]->all(room))
                EXPECT_TRUE(found.emplace(message->id.str(), message->seq.value).second) << "stored twice";
        }
        EXPECT_EQ(found, acknowledged);
    }
    static std::string room_of(std::size_t n) { return "r-" + std::to_string(n % 4); }
};

TEST_F(BrokerFault, AKilledBrokerLosesAndDoublesNothing) {
    expect_nothing_lost_or_doubled([] { ::kill(cluster().pid(pid_file(0)), SIGKILL); },
                                   [] { cluster().command("start-node", "0"); });
}

TEST_F(BrokerFault, ABrokerThatStandsStillLosesAndDoublesNothing) {
    const pid_t pid = cluster().pid(pid_file(1));
    expect_nothing_lost_or_doubled([&] { ::kill(pid, SIGSTOP); }, [&] { ::kill(pid, SIGCONT); });
}

/// It answers with what it had when it stood still, until it hears of the others again.
TEST_F(BrokerFault, ABrokerThatComesBackAloneIsNoLoss) {
    const Settings settings = fresh_settings(cluster().url(), 1);
    OwnTable own;
    Node node{settings, *own.table};
    const auto writer = std::move(*TableWriter::open(settings, {}, *own.table));
    std::vector<std::string> said;
    const auto say = [&](int count) {
        for (int i = 0; i < count; ++i) {
            said.push_back("m-" + std::to_string(said.size()));
            ASSERT_TRUE(node.insist("r-1", "u", said.back()));
        }
    };
    const auto eventually = [](const auto& probe) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!probe() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        return probe();
    };
    say(5);
    const int leader = leader_of(settings);
    const auto signal = [](int broker, int number) { ::kill(cluster().pid(pid_file(broker)), number); };
    signal(leader, SIGSTOP);
    say(20);
    for (int i = 1; i < 3; ++i) signal((leader + i) % 3, SIGSTOP);
    signal(leader, SIGCONT);
    EXPECT_TRUE(eventually([&] { return !node.log().stats().available; })) << "nobody asked it";
    for (int i = 1; i < 3; ++i) signal((leader + i) % 3, SIGCONT);
    EXPECT_TRUE(eventually([&] { return node.log().stats().available; }));
    say(5);
    EXPECT_EQ(ids(node.heard("r-1", said.size())), said);
    EXPECT_EQ(ids(node.all("r-1")), said);
    EXPECT_TRUE(eventually([&] { return writer->stored() >= said.size() && writer->is_well(); }));
}

/// One replica of each: nobody takes its partitions over.
TEST_F(BrokerFault, APartitionWithoutItsBrokerHoldsUpNoOtherAndIsKnownToBeBackThoughNobodySends) {
    const Settings settings = fresh_settings(cluster().url(), 3);
    make_topic(settings, 1, {});
    OwnTable own;
    Node node{settings, *own.table};
    const auto room_in = [](std::uint32_t partition) {
        int name = 0;
        while (partition_of("r-" + std::to_string(name), 3) != partition) ++name;
        return "r-" + std::to_string(name);
    };
    std::uint32_t well = 0;
    while (leader_of(settings, static_cast<int>(well)) == leader_of(settings, 2)) ++well;
    for (const std::uint32_t partition : {well, 2U}) ASSERT_TRUE(node.insist(room_in(partition), "u", "first"));
    const pid_t broker = cluster().pid(pid_file(leader_of(settings, 2)));
    ::kill(broker, SIGSTOP);
    EXPECT_FALSE(node.send(room_in(2), "u", "a").get());
    EXPECT_FALSE(node.log().stats().available);
    for (int i = 0; i < 300; ++i) {
        EXPECT_TRUE(node.send(room_in(well), "u", std::to_string(i)).get());
        EXPECT_FALSE(node.log().stats().available);
    }
    ::kill(broker, SIGCONT);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!node.log().stats().available) ASSERT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_TRUE(node.insist(room_in(2), "u", "a"));
}

TEST_F(BrokerFault, WithOneBrokerOfThreeSendersAreRefusedUntilASecondIsBack) {
    const Settings settings = fresh_settings(cluster().url());
    OwnTable own;
    std::mutex mutex;
    std::vector<std::string> said;
    KafkaLogOptions options;
    options.on_trouble = [&](const std::string& why) {
        const std::lock_guard lock{mutex};
        said.push_back(why);
    };
    Node node{settings, *own.table, std::move(options)};
    ASSERT_TRUE(node.insist("r-1", "u", "a"));
    cluster().command("stop-node", "1");
    cluster().command("stop-node", "2");
    const auto begun = std::chrono::steady_clock::now();
    const auto refused = node.send("r-1", "u", "b").get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kStoreUnavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 7s);
    EXPECT_FALSE(node.log().stats().available);
    cluster().command("start-node", "1");
    cluster().command("start-node", "2");
    ASSERT_TRUE(node.insist("r-1", "u", "b"));
    EXPECT_EQ(ids(node.all("r-1")), (std::vector<std::string>{"a", "b"}));
    const std::lock_guard lock{mutex};
    ASSERT_GE(said.size(), 2U);
    EXPECT_THAT(said.front(), HasSubstr("Kafka: "));
    EXPECT_EQ(said.back(), "");
}

TEST_F(BrokerFault, OneReplicaInSyncOfThreeIsTooFew) {
    const Settings settings = fresh_settings(cluster().url());
    make_topic(settings, 3, {{"min.insync.replicas", "1"}});
    OwnTable own;
    EXPECT_THAT(refusal(settings, *own.table), HasSubstr("min.insync.replicas=1"));
}

}  // namespace
}  // namespace parley::kafka
