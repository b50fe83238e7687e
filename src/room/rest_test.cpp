#include "room/room_fixture.h"

namespace parley::room {
namespace {

using testing::Reader;
using testing::RoomTest;

/// A room whose four readers rest it for two milliseconds.
class RoomsRest : public RoomTest {
protected:
    static constexpr milliseconds kRest{2};

    RoomsRest() {
        hub = make_hub({.page_messages = 100, .recent_messages = 20, .readers_for_rest = 2});
        for (int i = 0; i < 4; ++i) subscribe();
        settle();
        form.prepared = 0;
    }
};

TEST_F(RoomsRest, WhatFollowsAFanOutToManyWaitsAndGoesTogether) {
    say();
    EXPECT_EQ(form.prepared, 1) << "at once";
    turn();
    say();
    say(2);
    EXPECT_EQ(form.prepared, 1);
    pass(kRest);
    EXPECT_EQ(form.prepared, 2);
    for (const auto& reader : readers) EXPECT_EQ(reader->heard, "live@0 1 2 3 4 ");
}

TEST_F(RoomsRest, ARestedRoomHandsOverAtOnce) {
    say();
    turn();
    pass(kRest);
    say();
    EXPECT_EQ(form.prepared, 2);
}

TEST_F(RoomsRest, TheRestBeginsWhenAllHasBeenWritten) {
    say();
    clock.advance(100 * kRest);  // the turn's writes took that long
    turn();
    say();
    EXPECT_EQ(form.prepared, 1);
    pass(kRest);
    EXPECT_EQ(form.prepared, 2);
}

TEST_F(RoomsRest, ARoomOfFewNeverRests) {
    for (int i = 0; i < 3; ++i) readers.pop_back();
    say();
    say();
    EXPECT_EQ(form.prepared, 2);
}

TEST_F(RoomsRest, NoMoreWaitsThanHalfOfWhatIsKept) {
    say();
    turn();
    say(10);
    EXPECT_EQ(form.prepared, 1);
    say();
    EXPECT_EQ(form.prepared, 2);
    for (const auto& reader : readers) EXPECT_EQ(reader->seqs().size(), 12U);
}

TEST_F(RoomsRest, WhatComesInOneLargeBatchGoesAtOnce) {
    say();
    turn();
    say();
    say(25);
    for (const auto& reader : readers) EXPECT_EQ(reader->seqs().size(), 27U);
}

TEST_F(RoomsRest, WhoIsKickedGetsWhatWasSaidBeforeTheRecordThatSaysSo) {
    Reader& other = subscribe({}, "u-2");
    settle();
    say();
    turn();
    say();
    announce({store_change(RoomChange::Kind::kKicked, "u-1")});
    hub->recheck(room, {RoomChange::Kind::kKicked, MemberId::trusted("u-1")},
                 [](const RoomId&, const MemberId&, UniqueFunction<void(Result<bool>)> then) { then(false); });
    say();
    pass(kRest);
    EXPECT_EQ(readers.front()->seqs(), (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(other.seqs(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(RoomsRest, SaysWhenWhatWaitedWasHandedOver) {
    std::vector<WallTime> rested;
    hub->on_rested([&](WallTime stored) { rested.push_back(stored); });
    say();
    turn();
    const auto waits = store(2);
    announce(waits);
    EXPECT_THAT(rested, ::testing::IsEmpty());
    pass(kRest);
    EXPECT_THAT(rested, ::testing::ElementsAre(waits.back()->created_at));
}

TEST_F(RoomsRest, WhoComesMeanwhileMissesNothingAndGetsNothingTwice) {
    say();
    turn();
    say(2);
    Reader& late = subscribe(after(0));
    settle();
    pass(kRest);
    settle();
    EXPECT_EQ(late.seqs(), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(RoomsRest, ARoomThatEveryoneLeavesEndsItsRest) {
    say();
    readers.clear();
    turn();
    pass(kRest);
    EXPECT_EQ(hub->rooms(), 0U);
}

}  // namespace
}  // namespace parley::room
