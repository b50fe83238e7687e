#include "adapters/kafka/partition_counter.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace parley::kafka {
namespace {

/// A record of a made-up log, and what the rule says about it.
struct Made {
    std::uint64_t offset = 0;
    WallTime at{};
    std::string room;
    std::vector<std::pair<std::string, std::string>> ids;  ///< sender and id

    [[nodiscard]] RecordHead head() const {
        RecordHead out;
        out.room = room;
        for (const auto& [sender, id] : ids) out.messages.push_back({sender, id});
        return out;
    }
    [[nodiscard]] InRecord record() const {
        InRecord out;
        out.offset = offset;
        out.timestamp = at;
        out.key = room;
        return out;
    }
};
Made made(std::uint64_t offset, const std::string& room, const std::string& id, int ms = 0) {
    return {offset, WallTime{milliseconds{ms}}, room, {{"u-1", id}}};
}

class CountingRule : public testing::Test {
protected:
    PartitionCounter::Counted count(const Made& made) { return counter_.count(made.record(), made.head()).at(0); }
    PartitionCounter counter_{100};
};

TEST_F(CountingRule, GivesDenseSeqsPerRoom) {
    EXPECT_EQ(count(made(5, "r-1", "a")).seq.value, 1U);
    EXPECT_EQ(count(made(6, "r-2", "a")).seq.value, 1U);
    EXPECT_EQ(count(made(9, "r-1", "b")).seq.value, 2U);
    EXPECT_EQ(counter_.head("r-1").head.value, 2U);
    EXPECT_EQ(counter_.head("r-3").head.value, 0U);
}

TEST_F(CountingRule, ARepeatWithinTheWindowHasTheFirstsSeqAndTime) {
    count(made(0, "r-1", "a", 7));
    count(made(1, "r-1", "b", 8));
    const auto again = count(made(100, "r-1", "a", 90));
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.seq.value, 1U);
    EXPECT_EQ(again.created_at, WallTime{milliseconds{7}});
    EXPECT_EQ(counter_.head("r-1").head.value, 2U);
}

TEST_F(CountingRule, ARepeatDoesNotMoveTheWindow) {
    count(made(0, "r-1", "a"));
    EXPECT_TRUE(count(made(100, "r-1", "a")).repeated);
    EXPECT_FALSE(count(made(101, "r-1", "a")).repeated) << "101 offsets behind the one that counted";
    EXPECT_TRUE(count(made(201, "r-1", "a")).repeated);
}

TEST_F(CountingRule, TimeNeverFalls) {
    count(made(0, "r-1", "a", 50));
    EXPECT_EQ(count(made(1, "r-1", "b", 10)).created_at, WallTime{milliseconds{50}});
    EXPECT_EQ(count(made(2, "r-2", "b", 10)).created_at, WallTime{milliseconds{10}});
    EXPECT_EQ(count(made(3, "r-1", "c", 60)).created_at, WallTime{milliseconds{60}});
}

TEST_F(CountingRule, WithoutAnIdEveryRecordCounts) {
    EXPECT_FALSE(count(made(0, "r-1", "")).repeated);
    EXPECT_EQ(count(made(1, "r-1", "")).seq.value, 2U);
}

TEST_F(CountingRule, EachMessageOfARecordCountsByItself) {
    count(made(0, "r-1", "b"));
    Made commit{1, {}, "r-1", {{"u-1", "a"}, {"u-1", "b"}, {"u-1", "c"}, {"u-1", "a"}, {"u-2", "b"}}};
    std::vector<std::uint64_t> seqs;
    for (const auto& one : counter_.count(commit.record(), commit.head())) seqs.push_back(one.seq.value);
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{2, 1, 3, 2, 4}));
}

/// Any log, counted from its beginning, and from a checkpoint anywhere in it.
TEST(Recovery, FromAnyCheckpointEqualsCountingFromTheBeginning) {
    std::mt19937 random{11};
    for (int round = 0; round < 60; ++round) {
        const std::uint64_t window = 1 + random() % 60;
        std::vector<Made> log;
        std::uint64_t offset = random() % 5;
        for (int i = 0; i < 300; ++i) {
            Made one{offset, WallTime{milliseconds{random() % 1000}}, "r-" + std::to_string(random() % 4), {}};
            for (auto n = 1 + random() % 3; n > 0; --n)
                one.ids.emplace_back("u-" + std::to_string(random() % 2),
                                     random() % 10 == 0 ? "" : "m-" + std::to_string(random() % 30));
            log.push_back(std::move(one));
            offset += 1 + random() % 3;  // a record that does not count, or a control record, lies between
        }
        const std::size_t cut = random() % log.size();
        PartitionCounter whole{window};
        log::Checkpoint checkpoint;
        checkpoint.next = log[cut].offset - random() % (cut == 0 ? 1 : log[cut].offset - log[cut - 1].offset);
        std::optional<PartitionCounter> recovered;
        for (std::size_t i = 0; i < log.size(); ++i) {
            if (i == cut) {
                for (int r = 0; r < 4; ++r) {
                    const auto at = whole.head("r-" + std::to_string(r));
                    if (at.head.value > 0)
                        checkpoint.heads.push_back(
                            {RoomId::trusted("r-" + std::to_string(r)), at.head, at.last_created});
                }
                std::erase_if(checkpoint.window, [&](const auto& row) {
                    return checkpoint.next > window && row.offset < checkpoint.next - window;
                });
                recovered.emplace(window, checkpoint);
            }
            const auto counted = whole.count(log[i].record(), log[i].head());
            if (recovered) {
                const auto again = recovered->count(log[i].record(), log[i].head());
                for (std::size_t m = 0; m < counted.size(); ++m) {
                    ASSERT_EQ(again[m].seq, counted[m].seq) << "record " << i << " of round " << round;
                    ASSERT_EQ(again[m].repeated, counted[m].repeated);
                    ASSERT_EQ(again[m].created_at, counted[m].created_at);
                }
                continue;
            }
            for (std::size_t m = 0; m < counted.size(); ++m) {
                if (counted[m].repeated) continue;
                const auto& [sender, id] = log[i].ids[m];
                const std::string known = id.empty() ? "~kafka:0." + std::to_string(log[i].offset) : id;
                checkpoint.window.push_back({log[i].offset, RoomId::trusted(log[i].room), MemberId::trusted(sender),
                                             MessageId::trusted(known), counted[m].seq, counted[m].created_at});
            }
        }
    }
}

}  // namespace
}  // namespace parley::kafka
