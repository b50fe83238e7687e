#include "adapters/kafka/kafka_fixture.h"
#include "adapters/kafka/topic_replay.h"

namespace parley::kafka {
namespace {

/// One partition; what is replayed is written `offset id@seq`, a repeat with `*`.
class Replay : public testing::Test {
protected:
    void send(const std::vector<std::string>& ids) {
        for (const auto& id : ids) {
            if (!node_) node_ = std::make_unique<Node>(settings_, *own_.table);
            const auto answer = node_->insist("r-1", "u-1", id);
            ASSERT_TRUE(answer);
            times_.push_back(answer->front().created_at);
        }
    }
    /// What the table has from now on is everything.
    void store(std::uint64_t count) {
        const auto writer = std::move(*TableWriter::open(settings_, {}, *own_.table));
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (writer->stored() < count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
        ASSERT_EQ(writer->stored(), count);
    }
    std::vector<std::string> replay(const ReplayRange& range) {
        std::vector<std::string> out;
        TopicReplay::Tell tell = [&](const ReplayedMessage& one) {
            EXPECT_EQ(one.message.room.str(), "r-1");
            EXPECT_EQ(one.message.content, "hello");
            out.push_back(std::to_string(one.offset) + " " + one.message.id.str() + "@" +
                          std::to_string(one.message.seq.value) + (one.repeated ? "*" : ""));
        };
        const auto replay = TopicReplay::open(settings_, *own_.table, range);
        if (!replay) return {replay.error().message};
        while (!(*replay)->is_done()) {
            if (const auto read = (*replay)->read(tell); !read) return {read.error().message};
        }
        return out;
    }

    Settings settings_ = fresh_settings(broker().url(), 1);
    OwnTable own_;
    std::unique_ptr<Node> node_;
    std::vector<WallTime> times_;
};

using Lines = std::vector<std::string>;

TEST_F(Replay, WhatTheTableHasNotYetIsCountedFromItsPosition) {
    send({"a", "b", "a", "c"});
    EXPECT_EQ(replay({.partition = 0}), (Lines{"0 a@1", "1 b@2", "2 a@1*", "3 c@3"}));
    EXPECT_EQ(replay({.partition = 0, .from_offset = 2}), (Lines{"2 a@1*", "3 c@3"}));
    EXPECT_EQ(replay({.partition = 0, .from_offset = 1, .to_offset = 2}), (Lines{"1 b@2", "2 a@1*"}));
    EXPECT_EQ(replay({.partition = 0, .from_offset = 4}), Lines{});
    EXPECT_EQ(replay({.partition = 0, .from_offset = 3, .to_offset = UINT64_MAX}), Lines{"3 c@3"});
}

TEST_F(Replay, WhatTheTableHasIsToldUnderItsSeqs) {
    send({"a", "b", "a", "c"});
    store(3);
    send({"d", "c"});
    EXPECT_EQ(replay({}), (Lines{"0 a@1", "1 b@2", "2 a@0*", "3 c@3", "4 d@4", "5 c@3*"}));
}

TEST_F(Replay, OlderThanTheWindowTheSeqIsNotKnown) {
    settings_.dedup_window = 2;
    send({"a", "b", "c", "d"});
    store(4);
    EXPECT_EQ(replay({.partition = 0}), (Lines{"0 a@0", "1 b@0", "2 c@3", "3 d@4"}));
}

TEST_F(Replay, FromATimeOnNothingIsMissing) {
    send({"a", "b", "c"});
    const auto lines = replay({.from_time = times_[1]});
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(lines.back(), "2 c@3");
    EXPECT_EQ(lines[lines.size() - 2], "1 b@2");
    EXPECT_EQ(replay({.from_time = times_[2] + 1h}), Lines{});
}

TEST(ReplayOfAll, ComesPartitionAfterPartitionAndPageByPage) {
    const Settings settings = fresh_settings(broker().url(), 3);
    OwnTable own;
    Node node{settings, *own.table};
    std::vector<std::future<Node::Answer>> sent;
    for (int n = 0; n < 120; ++n) {
        const std::string number = std::to_string(n);
        sent.push_back(node.send("r-" + std::to_string(n % 8), "u-1", "m-" + number, std::string(20'000, 'x')));
    }
    for (auto& one : sent) ASSERT_TRUE(one.get());
    std::vector<std::pair<std::uint32_t, std::uint64_t>> places;
    TopicReplay::Tell tell = [&](const ReplayedMessage& one) { places.emplace_back(one.partition, one.offset); };
    const auto replay = TopicReplay::open(settings, *own.table, {});
    ASSERT_TRUE(replay) << replay.error().message;
    std::size_t largest = 0;
    while (!(*replay)->is_done()) {
        const std::size_t before = places.size();
        ASSERT_TRUE((*replay)->read(tell));
        largest = std::max(largest, places.size() - before);
    }
    EXPECT_EQ(places.size(), 120U);
    EXPECT_TRUE(std::ranges::is_sorted(places));
    EXPECT_LE(largest, 30U);
}

TEST_F(Replay, APartitionOrOffsetThatIsNotThereIsSaid) {
    send({"a"});
    EXPECT_EQ(replay({.partition = 7}), Lines{"partition: topic " + settings_.topic + " has the partitions 0 to 0"});
    EXPECT_EQ(replay({.partition = 0, .from_offset = 9}), Lines{"from-offset: partition 0 holds the offsets 0 to 1"});
}

}  // namespace
}  // namespace parley::kafka
