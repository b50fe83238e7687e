#include <librdkafka/rdkafka.h>

#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/producer.h"

namespace parley::kafka {
namespace {

using testing::HasSubstr;

/// Two servers, of which one can be kept from reading on.
class Behind : public testing::Test {
protected:
    Behind() {
        behind_.log().on_commit([this](std::span<const MessageRef>) {
            std::unique_lock lock{mutex_};
            may_go_on_.wait(lock, [this] { return !held_; });
        });
    }
    ~Behind() override { let_go(); }
    void hold() {
        const std::lock_guard lock{mutex_};
        held_ = true;
    }
    void let_go() {
        {
            const std::lock_guard lock{mutex_};
            held_ = false;
        }
        may_go_on_.notify_all();
    }
    void wait_for_head(std::uint64_t head) {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (behind_.log().head(room_)->head.value < head) ASSERT_LT(std::chrono::steady_clock::now(), end);
    }
    void say(int from, int to) {
        for (int i = from; i <= to; ++i) ASSERT_TRUE(other_.insist("r-1", "u-1", "m-" + std::to_string(i)));
    }
    /// Another producer's: a marker without a record is left at the end.
    void say_in_a_transaction() {
        Client::Listener nobody;
        const auto client = std::move(
            *Client::open(Client::Kind::kProducer, settings_, {{"transactional.id", settings_.topic}}, &nobody));
        rd_kafka_t* const producer = client->get();
        ASSERT_EQ(rd_kafka_init_transactions(producer, 60'000), nullptr);
        ASSERT_EQ(rd_kafka_begin_transaction(producer), nullptr);
        std::string body = R"({"content":"hello"})";
        ASSERT_EQ(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(settings_.topic.c_str()), RD_KAFKA_V_KEY("r-1", 3),
                                    RD_KAFKA_V_VALUE(body.data(), body.size()),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                  RD_KAFKA_RESP_ERR_NO_ERROR);
        ASSERT_EQ(rd_kafka_commit_transaction(producer, 60'000), nullptr);
    }
    Result<log::Page> read_after(std::uint64_t seq) { return behind_.log().read(room_, {seq}, 10, 1_MiB); }
    /// Tries until it says something, as a client does.
    log::Page insist_after(std::uint64_t seq) {
        const auto end = std::chrono::steady_clock::now() + 30s;
        for (;;) {
            auto page = read_after(seq);
            if (page) return *page;
            EXPECT_EQ(page.error().code, Code::kStoreUnavailable);
            if (std::chrono::steady_clock::now() > end) return {};
        }
    }

    const RoomId room_ = RoomId::trusted("r-1");
    const Settings settings_ = fresh_settings(broker().url(), 1);
    OwnTable own_;
    std::mutex mutex_;
    std::condition_variable may_go_on_;
    bool held_ = false;
    Node other_{settings_, *own_.table};
    Node behind_{settings_, *own_.table};
};

TEST_F(Behind, WhatAnotherServerHasToldIsReadUpToBeforeItIsSaidThatItIsNotThere) {
    hold();
    say(1, 1);
    wait_for_head(1);  // now it is being told, and nothing more is read meanwhile
    say(2, 4);
    ASSERT_TRUE(other_.log().head(room_)->head == RoomSeq{4});
    const auto early = read_after(4);
    ASSERT_FALSE(early) << early->at.head.value;
    EXPECT_EQ(early.error().code, Code::kStoreUnavailable);
    EXPECT_THAT(early.error().message, HasSubstr("is not read to offset"));
    let_go();
    const auto page = insist_after(4);
    EXPECT_EQ(page.at.head.value, 4U);
    EXPECT_TRUE(page.messages.empty());
}

TEST_F(Behind, WhoHasReadAllThatThereIsSaysWhereTheRoomEnds) {
    say(1, 2);
    const auto page = insist_after(9);
    EXPECT_EQ(page.at.head.value, 2U);
    EXPECT_TRUE(page.messages.empty());
}

TEST_F(Behind, AMarkerAtTheEndIsReadPast) {
    say(1, 1);
    say_in_a_transaction();
    const auto page = insist_after(9);
    EXPECT_EQ(page.at.head.value, 2U);
}

/// Faster than it can be read: its end is never met.
TEST(Start, EndsWhereTheTopicEndedThoughMoreComesAllTheTime) {
    const Settings settings = fresh_settings(broker().url(), 1);
    OwnTable own;
    Node first{settings, *own.table};
    std::atomic<bool> enough{false};
    std::atomic<int> under_way{0};
    std::atomic<std::uint64_t> sent{0};
    std::thread load{[&] {
        const auto producer = std::move(*Producer::open(settings, 1, [&](std::uint64_t, std::uint32_t, const Error*) {
            --under_way;
            ++sent;
        }));
        OutRecord record;
        record.key = "r-1";
        record.value = R"({"content":"hello"})";
        while (!enough) {
            if (under_way > 20'000) continue;
            ++under_way;
            producer->send(record, 1);
        }
    }};
    while (sent < 50'000) std::this_thread::yield();
    const auto begun = std::chrono::steady_clock::now();
    { Node second{settings, *own.table}; }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
    enough = true;
    load.join();
}

}  // namespace
}  // namespace parley::kafka
