#pragma once
#include <set>

#include "../tests/contract/log_node.h"

namespace parley::contract {

/// What a RoomLog that several servers share promises beyond RoomLogContract, over the same Backend: open() called
/// again gives one more server of the same stored rooms.
template <class Backend>
class SharedLogContract : public testing::Test {
public:
    using Node = LogNode<>;
    std::unique_ptr<Node> server() {
        return std::make_unique<Node>([this](const Clock& clock) { return backend_.open(clock); });
    }
    static std::string name(const char* what, int number) { return what + std::to_string(number); }

private:
    Backend backend_;
};

TYPED_TEST_SUITE_P(SharedLogContract);

TYPED_TEST_P(SharedLogContract, ThreeServersGiveEachRoomOneDenseOrder) {
    constexpr int kServers = 3, kRooms = 4, kEach = 150;
    const auto name = this->name;
    std::vector<std::unique_ptr<typename TestFixture::Node>> nodes;
    for (int i = 0; i < kServers; ++i) nodes.push_back(this->server());
    std::vector<std::thread> senders;
    for (int i = 0; i < kServers; ++i)
        senders.emplace_back([&, i] {
            std::vector<std::future<typename TestFixture::Node::Answer>> answers;
            for (int n = 0; n < kEach; ++n) {
                answers.push_back(nodes[i]->send(name("r-", n % kRooms), name("u-", i), name("own-", n)));
                // The same message at every server, as by a client that tries them in turn.
                answers.push_back(nodes[i]->send(name("r-", n % kRooms), "u-common", name("common-", n)));
            }
            for (auto& answer : answers) EXPECT_TRUE(answer.get());
        });
    for (auto& sender : senders) sender.join();
    for (int r = 0; r < kRooms; ++r) {
        std::map<std::string, int> next_own;
        std::set<std::string> seen;
        const auto messages = nodes[0]->all(name("r-", r));
        for (const auto& message : messages) {
            EXPECT_TRUE(seen.insert(message->sender.str() + " " + message->id.str()).second) << "stored twice";
            if (message->sender.str() == "u-common") continue;
            int& next = next_own.try_emplace(message->sender.str(), r).first->second;
            EXPECT_EQ(message->id.str(), name("own-", next)) << "a sender's order";
            next += kRooms;
        }
        const int turns = (kEach - r + kRooms - 1) / kRooms;
        EXPECT_EQ(messages.size(), static_cast<std::size_t>((kServers + 1) * turns));
    }
}

TYPED_TEST_P(SharedLogContract, EachMessageIsAnnouncedByOneServer) {
    const auto one = this->server(), other = this->server();
    for (int n = 0; n < 10; ++n) {
        ASSERT_TRUE(one->send("r-1", "u-1", this->name("m-", n)).get());
        ASSERT_TRUE(other->send("r-1", "u-1", this->name("m-", n)).get());
        ASSERT_TRUE(other->send("r-1", "u-2", this->name("m-", n)).get());
    }
    EXPECT_EQ(one->heard().size(), 10u);
    EXPECT_EQ(other->heard().size(), 10u);
}

TYPED_TEST_P(SharedLogContract, ARepeatAtAnotherServerIsAnsweredWithTheFirstsSeq) {
    const auto one = this->server(), other = this->server();
    const auto first = one->send("r-1", "u-1", "m-1").get();
    const auto again = other->send("r-1", "u-1", "m-1").get();
    ASSERT_TRUE(first && again);
    EXPECT_TRUE(again->front().repeated);
    EXPECT_EQ(again->front().seq, first->front().seq);
    EXPECT_EQ(again->front().created_at, first->front().created_at);
    EXPECT_TRUE(other->heard().empty());
}

TYPED_TEST_P(SharedLogContract, ServersSeeTheSameHeadAndEpoch) {
    const auto one = this->server(), other = this->server();
    ASSERT_TRUE(one->send("r-1", "u-1", "m-1").get());
    const auto here = one->log().head(RoomId::trusted("r-1"));
    const auto there = other->log().head(RoomId::trusted("r-1"));
    ASSERT_TRUE(here && there);
    EXPECT_EQ(here->epoch, there->epoch);
    EXPECT_EQ(there->head.value, 1u);
}

REGISTER_TYPED_TEST_SUITE_P(SharedLogContract, ThreeServersGiveEachRoomOneDenseOrder, EachMessageIsAnnouncedByOneServer,
                            ARepeatAtAnotherServerIsAnsweredWithTheFirstsSeq, ServersSeeTheSameHeadAndEpoch);

/// Two servers and four senders, who send to the other what one refuses, while `crash` ends the database and brings it
/// back, twice: what was acknowledged is there once, under the seq that was told.
template <class Log>
void expect_that_crashes_lose_nothing(LogNode<Log>& one, LogNode<Log>& other, const std::function<void()>& crash) {
    constexpr int kSenders = 4;
    std::atomic<bool> enough{false};
    std::atomic<int> stored{0};
    std::vector<std::map<std::string, std::uint64_t>> told(kSenders);
    std::vector<std::thread> senders;
    for (int s = 0; s < kSenders; ++s)
        senders.emplace_back([&, s] {
            for (int n = 0; !enough; ++n) {
                const std::string id = std::to_string(s) + "." + std::to_string(n);
                const auto answer = ((s + n) % 2 == 0 ? one : other).insist("r-" + std::to_string(n % 2), "u", id);
                ASSERT_TRUE(answer) << answer.error().message;
                told[s][id] = answer->front().seq.value;
                ++stored;
            }
        });
    for (int round = 0; round < 2; ++round) {
        for (const int goal = stored + 200; stored < goal;) std::this_thread::yield();
        crash();
    }
    for (const int goal = stored + 200; stored < goal;) std::this_thread::yield();
    enough = true;
    for (auto& sender : senders) sender.join();
    std::map<std::string, std::uint64_t> found;
    for (const char* room : {"r-0", "r-1"}) {
        for (const auto& message : one.all(room))
            EXPECT_TRUE(found.emplace(message->id.str(), message->seq.value).second) << "stored twice";
    }
    for (const auto& ids : told) {
        for (const auto& [id, seq] : ids) EXPECT_EQ(found[id], seq) << id;
    }
}

}  // namespace parley::contract
