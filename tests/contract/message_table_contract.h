#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "log/message_table.h"

namespace parley::log::contract {

/// What every MessageTable promises (src/log/message_table.h). An implementation instantiates the suite with a
/// Backend: default-constructible, `std::unique_ptr<MessageTable> open(const Clock&)` which, called again after the
/// table before was destroyed, opens the same rows.
template <class Backend>
class MessageTableContract : public testing::Test {
public:
    MessageTableContract() { reopen(); }
    void reopen() {
        table_.reset();
        table_ = backend_.open(clock_);
    }
    void SetUp() override {
        const auto claimed = claim(shape_);
        ASSERT_TRUE(claimed.has_value()) << (claimed ? "" : claimed.error().message);
    }
    Result<> claim(const TopicShape& shape, std::uint64_t begin = 5) {
        const std::vector<Position> beginnings{{0, 0}, {1, begin}};
        return table_->claim(shape, beginnings);
    }

    static PlacedMessage row(std::uint32_t partition, std::uint64_t offset, const std::string& room, std::uint64_t seq,
                             const std::string& id = "") {
        auto out = std::make_shared<Message>();
        out->room = RoomId::trusted(room);
        out->seq = {seq};
        out->sender = MemberId::trusted("u-1");
        out->nickname = "앨리스";
        out->id = MessageId::trusted(id.empty() ? "m-" + std::to_string(offset) : id);
        out->content = "text " + std::to_string(seq);
        out->created_at = WallTime{milliseconds{1'700'000'000'000 + static_cast<std::int64_t>(seq)}};
        return {partition, offset, out};
    }
    Result<> store(std::vector<PlacedMessage> rows, std::vector<Position> positions) {
        return table_->store(rows, positions);
    }
    void put(std::vector<PlacedMessage> rows, std::vector<Position> positions) {
        const auto stored = store(std::move(rows), std::move(positions));
        ASSERT_TRUE(stored.has_value()) << (stored ? "" : stored.error().message);
    }
    /// Partition 0: r-1 has 1 to 10 at the offsets 10, 20, …, r-2 has 1 at 55.
    void fill() {
        std::vector<PlacedMessage> rows;
        for (std::uint64_t seq = 1; seq <= 10; ++seq) {
            rows.push_back(row(0, seq * 10, "r-1", seq));
            if (seq == 5) rows.push_back(row(0, 55, "r-2", 1));
        }
        put(rows, {{0, 103}});
    }
    std::vector<std::uint64_t> read(const std::string& room, std::uint64_t after, std::size_t limit = 100,
                                    Bytes max = 1_MiB) {
        const auto page = table_->read(RoomId::trusted(room), {after}, limit, max);
        EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
        return page ? seqs(page->messages) : std::vector<std::uint64_t>{};
    }
    static std::vector<std::uint64_t> seqs(const std::vector<MessageRef>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->seq.value);
        return out;
    }
    std::uint64_t next(std::uint32_t partition) {
        const auto positions = table_->positions();
        EXPECT_TRUE(positions.has_value());
        return positions ? positions->at(partition).next : 0;
    }

    const TopicShape shape_{"cluster-1", "chat", 2, 60};
    ManualClock clock_;
    Backend backend_;
    std::unique_ptr<MessageTable> table_;
};

TYPED_TEST_SUITE_P(MessageTableContract);

TYPED_TEST_P(MessageTableContract, TheFirstClaimDecidesTopicAndBeginnings) {
    EXPECT_TRUE(this->claim(this->shape_, 9));
    EXPECT_EQ(this->next(1), 5U);
    for (TopicShape other : {TopicShape{"cluster-2", "chat", 2, 60}, TopicShape{"cluster-1", "talk", 2, 60},
                             TopicShape{"cluster-1", "chat", 3, 60}, TopicShape{"cluster-1", "chat", 2, 61}}) {
        const auto refused = this->claim(other);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::kBadRequest);
        EXPECT_THAT(refused.error().message, testing::HasSubstr("topic chat of cluster cluster-1"));
    }
    this->reopen();
    EXPECT_TRUE(this->claim(this->shape_, 9));
    EXPECT_EQ(this->next(1), 5U);
}

TYPED_TEST_P(MessageTableContract, KeepsRowsWithTheirFieldsAndThePosition) {
    auto in = std::make_shared<Message>(*this->row(1, 7, "r-1", 1).message);
    in->type = MessageType::kAi;
    in->extra = R"("receiverId":"u-9")";
    in->content = "  안녕 \"하세요\" \n🎲 ";
    this->put({{1, 7, in}}, {{1, 8}});
    this->reopen();
    EXPECT_EQ(this->next(1), 8U);
    EXPECT_EQ(this->next(0), 0U);
    const auto page = this->table_->read(RoomId::trusted("r-1"), {0}, 10, 1_MiB);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->messages.size(), 1U);
    EXPECT_EQ(to_json(*page->messages[0]), to_json(*in));
    EXPECT_EQ(page->at.head.value, 1U);
}

TYPED_TEST_P(MessageTableContract, StoringAgainChangesNothing) {
    this->fill();
    this->put({this->row(0, 30, "r-1", 3), this->row(0, 40, "r-1", 4)}, {{0, 41}});
    EXPECT_EQ(this->next(0), 103U);
    EXPECT_EQ(this->read("r-1", 0).size(), 10U);
    EXPECT_EQ(this->table_->head(RoomId::trusted("r-1"))->head.value, 10U);
    const auto checkpoint = this->table_->checkpoint(0);
    ASSERT_TRUE(checkpoint);
    for (const auto& at : checkpoint->heads) EXPECT_EQ(at.head.value, at.room.str() == "r-1" ? 10U : 1U);
}

TYPED_TEST_P(MessageTableContract, ABatchOfWhichAPartIsThereAddsTheRest) {
    this->fill();
    this->put({this->row(0, 90, "r-1", 9), this->row(0, 100, "r-1", 10), this->row(0, 110, "r-1", 11)}, {{0, 111}});
    EXPECT_EQ(this->next(0), 111U);
    EXPECT_EQ(this->read("r-1", 0).size(), 11U);
    EXPECT_EQ(this->table_->head(RoomId::trusted("r-1"))->head.value, 11U);
}

TYPED_TEST_P(MessageTableContract, AnotherRecordUnderASeqIsRefusedWhereItsRoomGoesOn) {
    this->fill();
    const auto refused = this->store({this->row(0, 111, "r-1", 10), this->row(0, 112, "r-1", 11)}, {{0, 113}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInternal);
    EXPECT_EQ(this->next(0), 103U);
    EXPECT_EQ(this->read("r-1", 0).size(), 10U);
}

TYPED_TEST_P(MessageTableContract, AnotherRecordUnderASeqIsRefusedWithAllOfItsBatch) {
    this->fill();
    const auto refused = this->store({this->row(0, 110, "r-2", 2), this->row(0, 111, "r-1", 10)}, {{0, 112}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInternal);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("room r-1, message 10 is the record at 0:100"));
    EXPECT_EQ(this->next(0), 103U);
    EXPECT_EQ(this->read("r-2", 0).size(), 1U);
    this->put({this->row(0, 110, "r-2", 2)}, {{0, 111}});
}

TYPED_TEST_P(MessageTableContract, AnIdMayComeAgain) {
    this->put({this->row(0, 1, "r-1", 1, "same"), this->row(0, 90, "r-1", 2, "same")}, {{0, 91}});
    EXPECT_EQ(this->read("r-1", 0).size(), 2U);
}

TYPED_TEST_P(MessageTableContract, ACheckpointHoldsThePartitionsHeadsAndWindow) {
    this->fill();
    this->put({this->row(1, 6, "r-3", 1)}, {{1, 7}});
    const auto checkpoint = this->table_->checkpoint(0);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->next, 103U);
    ASSERT_EQ(checkpoint->heads.size(), 2U);
    for (const auto& at : checkpoint->heads)
        EXPECT_EQ(at.last_created,
                  WallTime{milliseconds{at.room.str() == "r-1" ? 1'700'000'000'010 : 1'700'000'000'001}});
    std::vector<std::uint64_t> offsets;
    for (const auto& row : checkpoint->window) offsets.push_back(row.offset);
    EXPECT_THAT(offsets, testing::ElementsAre(50, 55, 60, 70, 80, 90, 100)) << "60 offsets before 103";
    const auto& one = checkpoint->window.at(1);
    EXPECT_EQ(one.room.str(), "r-2");
    EXPECT_EQ(one.sender.str(), "u-1");
    EXPECT_EQ(one.id.str(), "m-55");
    EXPECT_EQ(one.seq.value, 1U);
    EXPECT_EQ(one.created_at, WallTime{milliseconds{1'700'000'000'001}});
    EXPECT_EQ(this->table_->checkpoint(1)->window.size(), 1U);
}

TYPED_TEST_P(MessageTableContract, SeveralMessagesOfOneRecordAreRowsOfOneOffset) {
    this->put({this->row(0, 4, "r-1", 1, "a"), this->row(0, 4, "r-1", 2, "b")}, {{0, 5}});
    const auto checkpoint = this->table_->checkpoint(0);
    ASSERT_TRUE(checkpoint);
    ASSERT_EQ(checkpoint->window.size(), 2U);
    EXPECT_EQ(checkpoint->window[0].id.str(), "a");
    EXPECT_EQ(checkpoint->window[1].id.str(), "b");
}

TYPED_TEST_P(MessageTableContract, AWindowStaysRightWhileThePositionMovesFar) {
    std::vector<PlacedMessage> rows;
    for (std::uint64_t seq = 1; seq <= 300; ++seq) rows.push_back(this->row(0, seq * 50, "r-1", seq));
    for (std::size_t from = 0; from < rows.size(); from += 20) {
        const std::vector<PlacedMessage> some(rows.begin() + from, rows.begin() + from + 20);
        this->put(some, {{0, some.back().offset + 1}});
    }
    const auto checkpoint = this->table_->checkpoint(0);
    ASSERT_TRUE(checkpoint);
    ASSERT_EQ(checkpoint->window.size(), 2U);
    EXPECT_EQ(checkpoint->window[0].offset, 14'950U);
    EXPECT_EQ(this->read("r-1", 0, 1000).size(), 300U);
}

TYPED_TEST_P(MessageTableContract, IsReadAsALogIs) {
    this->fill();
    EXPECT_THAT(this->read("r-1", 0, 3), testing::ElementsAre(1, 2, 3));
    EXPECT_THAT(this->read("r-1", 8), testing::ElementsAre(9, 10));
    EXPECT_TRUE(this->read("r-1", 10).empty());
    EXPECT_TRUE(this->read("r-9", 0).empty());
    EXPECT_EQ(this->read("r-1", 0, 100, 1_B).size(), 1U);
    const auto before = this->table_->read_before(RoomId::trusted("r-1"), {5}, 2, 1_MiB);
    ASSERT_TRUE(before);
    EXPECT_THAT(this->seqs(before->messages), testing::ElementsAre(3, 4));
    const WallTime start{milliseconds{1'700'000'000'000}};
    EXPECT_EQ(this->table_->seek(RoomId::trusted("r-1"), start + milliseconds{4})->value, 3U);
    EXPECT_EQ(this->table_->seek(RoomId::trusted("r-1"), start)->value, 0U);
    const Epoch epoch = this->table_->head(RoomId::trusted("r-9"))->epoch;
    EXPECT_NE(epoch.value, 0U);
    this->clock_.advance(std::chrono::hours{1});
    this->reopen();
    EXPECT_EQ(this->table_->head(RoomId::trusted("r-1"))->epoch, epoch);
}

REGISTER_TYPED_TEST_SUITE_P(MessageTableContract, TheFirstClaimDecidesTopicAndBeginnings,
                            KeepsRowsWithTheirFieldsAndThePosition, StoringAgainChangesNothing,
                            AnotherRecordUnderASeqIsRefusedWithAllOfItsBatch, ABatchOfWhichAPartIsThereAddsTheRest,
                            AnotherRecordUnderASeqIsRefusedWhereItsRoomGoesOn, AnIdMayComeAgain,
                            ACheckpointHoldsThePartitionsHeadsAndWindow, SeveralMessagesOfOneRecordAreRowsOfOneOffset,
                            AWindowStaysRightWhileThePositionMovesFar, IsReadAsALogIs);

}  // namespace parley::log::contract
