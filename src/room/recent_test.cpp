#include "room/recent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace parley::room {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

MessageRef message(std::uint64_t seq, std::size_t size) {
    auto out = std::make_shared<Message>();
    out->seq = {seq};
    out->content.assign(size, 'x');
    return out;
}

class RecentMessages : public ::testing::Test {
protected:
    void add(Recent& to, std::uint64_t from, std::uint64_t through, std::size_t size = 10) {
        for (; from <= through; ++from) to.add({{message(from, size)}});
    }
    static std::vector<std::uint64_t> page(const Recent& of, std::uint64_t after, std::size_t most = 100,
                                           Bytes max = 1_MiB) {
        std::vector<std::uint64_t> out;
        for (const auto& each : of.page({after}, most, max)) out.push_back(each->seq.value);
        return out;
    }
    static constexpr Bytes kRoom = 16_KiB;
    RecentBudget budget_{8, kRoom};
};

TEST_F(RecentMessages, ArePagedFromAnySeqThatIsHere) {
    Recent recent{budget_};
    EXPECT_THAT(page(recent, 0), IsEmpty());
    add(recent, 3, 6);
    EXPECT_THAT(page(recent, 1), IsEmpty());
    EXPECT_THAT(page(recent, 2), ElementsAre(3, 4, 5, 6));
    EXPECT_THAT(page(recent, 4, 1), ElementsAre(5));
    EXPECT_THAT(page(recent, 6), IsEmpty());
}

TEST_F(RecentMessages, APageHasAtLeastOneHoweverLarge) {
    Recent recent{budget_};
    add(recent, 1, 3, 1000);
    EXPECT_THAT(page(recent, 0, 9, Bytes{2000}), ElementsAre(1, 2));
    EXPECT_THAT(page(recent, 1, 9, Bytes{1}), ElementsAre(2));
}

TEST_F(RecentMessages, OfOneRoomAreAtMostItsCountAndBytes) {
    Recent recent{budget_};
    add(recent, 1, 20);
    EXPECT_THAT(page(recent, 11), IsEmpty());
    EXPECT_EQ(page(recent, 12).size(), 8U);
    add(recent, 21, 24, 7000);
    EXPECT_THAT(page(recent, 22), ElementsAre(23, 24));
    EXPECT_LE(budget_.bytes(), kRoom.count);
}

TEST_F(RecentMessages, OfAllRoomsAreAtMostTheBudgetAndTheMostSilentRoomForgetsFirst) {
    std::vector<std::unique_ptr<Recent>> rooms;
    for (std::size_t i = 0; i < 2 * RecentBudget::kFullRooms; ++i) {
        rooms.push_back(std::make_unique<Recent>(budget_));
        add(*rooms.back(), 1, 2, 7000);
        add(*rooms.front(), i + 3, i + 3, 100);
    }
    EXPECT_LE(budget_.bytes(), RecentBudget::kFullRooms * kRoom.count);
    EXPECT_THAT(page(*rooms[1], 1), IsEmpty()) << "silent longest";
    EXPECT_THAT(page(*rooms.back(), 0), ElementsAre(1, 2));
    EXPECT_EQ(page(*rooms.front(), 2 * RecentBudget::kFullRooms - 6).size(), 8U) << "it spoke last";
    add(*rooms[1], 3, 3);
    EXPECT_THAT(page(*rooms[1], 2), ElementsAre(3)) << "what follows is kept again";
}

TEST_F(RecentMessages, ShrinkWithTheBudgetAndGoWithTheirRoom) {
    auto recent = std::make_unique<Recent>(budget_);
    add(*recent, 1, 2, 7000);
    budget_.set_room(8_KiB);
    EXPECT_THAT(page(*recent, 1), ElementsAre(2));
    recent.reset();
    EXPECT_EQ(budget_.bytes(), 0U);
}

}  // namespace
}  // namespace parley::room
