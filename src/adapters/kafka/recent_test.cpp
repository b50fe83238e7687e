#include "adapters/kafka/recent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MessageRef message(const std::string& room, std::uint64_t seq, std::size_t size = 10) {
    auto out = std::make_shared<Message>();
    out->room = RoomId::trusted(room);
    out->seq = {seq};
    out->content.assign(size, 'x');
    out->created_at = WallTime{milliseconds{seq * 10}};
    return out;
}
std::vector<std::uint64_t> seqs(const std::vector<MessageRef>& messages) {
    std::vector<std::uint64_t> out;
    for (const auto& one : messages) out.push_back(one->seq.value);
    return out;
}

class RecentMessages : public testing::Test {
protected:
    void fill(const std::string& room, std::uint64_t from, std::uint64_t to) {
        for (; from <= to; ++from) recent_.add(0, offset_++, message(room, from));
    }
    std::vector<std::uint64_t> after(const std::string& room, std::uint64_t seq, std::size_t limit = 100,
                                     Bytes max = 1_MiB) {
        std::vector<MessageRef> out;
        recent_.append_after(RoomId::trusted(room), {seq}, limit, max, out);
        return seqs(out);
    }
    std::vector<std::uint64_t> before(const std::string& room, std::uint64_t seq, std::size_t limit = 100,
                                      Bytes max = 1_MiB) {
        return seqs(recent_.before(RoomId::trusted(room), {seq}, limit, max));
    }
    Recent recent_{2, 100_KiB};
    std::uint64_t offset_ = 0;
};

TEST_F(RecentMessages, AreFoundByRoomAndSeq) {
    fill("r-1", 5, 9);
    fill("r-2", 1, 2);
    EXPECT_EQ(recent_.first(RoomId::trusted("r-1")).value, 5U);
    EXPECT_EQ(recent_.first(RoomId::trusted("r-3")).value, 0U);
    EXPECT_THAT(after("r-1", 4), ElementsAre(5, 6, 7, 8, 9));
    EXPECT_THAT(after("r-1", 7), ElementsAre(8, 9));
    EXPECT_THAT(after("r-1", 9), IsEmpty());
    EXPECT_THAT(after("r-1", UINT64_MAX), IsEmpty());
    EXPECT_THAT(after("r-1", 4, 2), ElementsAre(5, 6));
    EXPECT_THAT(after("r-1", 4, 100, 1_B), ElementsAre(5));
    EXPECT_THAT(before("r-1", 8), ElementsAre(5, 6, 7));
    EXPECT_THAT(before("r-1", UINT64_MAX, 2), ElementsAre(8, 9));
    EXPECT_THAT(before("r-1", 5), IsEmpty());
    EXPECT_THAT(before("r-1", 0), IsEmpty());
}

TEST_F(RecentMessages, AreFoundByTheirTime) {
    fill("r-1", 5, 9);
    const auto last_before = [this](int time) {
        return recent_.last_before(RoomId::trusted("r-1"), WallTime{milliseconds{time}}).value;
    };
    EXPECT_EQ(last_before(49), 0U);
    EXPECT_EQ(last_before(50), 0U);
    EXPECT_EQ(last_before(51), 5U);
    EXPECT_EQ(last_before(90), 8U);
    EXPECT_EQ(last_before(1'000), 9U);
    EXPECT_EQ(recent_.last_before(RoomId::trusted("r-2"), WallTime{milliseconds{1'000}}).value, 0U);
}

TEST_F(RecentMessages, GoWhenTheTableHasThem) {
    fill("r-1", 1, 3);
    fill("r-2", 1, 1);
    recent_.stored(1, 100);
    EXPECT_THAT(after("r-1", 0), ElementsAre(1, 2, 3)) << "another partition's position";
    recent_.stored(0, 2);
    EXPECT_THAT(after("r-1", 2), ElementsAre(3));
    EXPECT_EQ(recent_.first(RoomId::trusted("r-1")).value, 3U);
    recent_.stored(0, 4);
    EXPECT_EQ(recent_.bytes(), 0U);
    EXPECT_EQ(recent_.first(RoomId::trusted("r-1")).value, 0U);
}

TEST_F(RecentMessages, TheOldestGoAboveTheLimit) {
    for (std::uint64_t seq = 1; seq <= 100; ++seq) recent_.add(1, seq, message("r-1", seq, 2'000));
    EXPECT_LE(recent_.bytes(), (100_KiB).count);
    const auto first = recent_.first(RoomId::trusted("r-1")).value;
    EXPECT_GT(first, 40U);
    EXPECT_EQ(after("r-1", first - 1).size(), 101 - first);
}

}  // namespace
}  // namespace parley::kafka
