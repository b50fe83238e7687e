#include "gateway/poll_cursor.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

const MemberId kMember = MemberId::trusted("u-1");

RoomId room(int number) { return RoomId::trusted("r-" + std::to_string(number)); }

PollPlaces places(int rooms) {
    PollPlaces places{kMember};
    for (int i = 0; i < rooms; ++i) places.put(room(i), {7}, {static_cast<std::uint64_t>(i) * 1000});
    return places;
}

TEST(PollCursor, ComesBackAsItWasSealed) {
    const CursorSeal seal{{"key"}};
    const auto opened = seal.open(seal.seal(places(64)));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->is_of(kMember));
    EXPECT_EQ(opened->size(), 64U);
    for (int i = 0; i < 64; ++i) {
        const auto* place = opened->find(room(i));
        ASSERT_NE(place, nullptr) << i;
        EXPECT_EQ(place->seq, static_cast<std::uint64_t>(i) * 1000);
        EXPECT_EQ(place->epoch, PollPlaces::fold({7}));
    }
    EXPECT_EQ(opened->find(room(64)), nullptr);
}

TEST(PollCursor, TheLatestPlaceOfARoomHolds) {
    PollPlaces at = places(2);
    at.put(room(1), {8}, {5});
    EXPECT_EQ(at.size(), 2U);
    EXPECT_EQ(at.find(room(1))->seq, 5U);
}

TEST(PollCursor, TellsWhoseItIs) {
    const CursorSeal seal{{"key"}};
    EXPECT_FALSE(seal.open(seal.seal(places(1)))->is_of(MemberId::trusted("u-2")));
}

TEST(PollCursor, AnyChangedByteAndAnyOtherKeyIsRefused) {
    const CursorSeal seal{{"key"}};
    const std::string text = seal.seal(places(2));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string forged = text;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(seal.open(forged)) << i;
    }
    for (std::size_t i = 0; i < text.size(); ++i) EXPECT_FALSE(seal.open(text.substr(0, i))) << i;
    EXPECT_FALSE(CursorSeal{{"other"}}.open(text));
    EXPECT_FALSE(seal.open(std::string(100'000, 'A')));
    EXPECT_FALSE(seal.open(""));
    EXPECT_FALSE(seal.open("0"));
}

TEST(PollCursor, HoldsAcrossARotationOfTheSecret) {
    const std::string text = CursorSeal{{"old"}}.seal(places(1));
    EXPECT_TRUE((CursorSeal{{"new", "old"}}.open(text)));
    EXPECT_NE((CursorSeal{{"new", "old"}}.seal(places(1))), text);
}

TEST(PollCursor, Of64RoomsFitsIntoARequestsHead) { EXPECT_LT(CursorSeal{{"key"}}.seal(places(64)).size(), 1500U); }

}  // namespace
}  // namespace parley::gateway
