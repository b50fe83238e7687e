#include "gateway/rest_turns.h"

#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"

namespace parley::gateway {
namespace {

class RoomTurnsTest : public testing::Test {
protected:
    /// Notes that it has the turn, and keeps it.
    void take(const char* who, const char* room = "r-1") {
        turns_.take(RoomId::trusted(room), loop_, [this, who](RoomTurn turn) {
            order_ += who;
            held_ = std::move(turn);
        });
    }
    void end_turn() { RoomTurn{}.swap(held_); }
    void run_what_was_posted() {
        loop_.post([this] { loop_.stop(); });
        loop_.run();
    }

    ManualClock clock_;
    rt::Loop loop_{0, clock_};
    RoomTurns turns_;
    std::string order_;
    RoomTurn held_;
};

TEST_F(RoomTurnsTest, TheFirstGoesAtOnce) {
    take("a");
    EXPECT_EQ(order_, "a");
}

TEST_F(RoomTurnsTest, TheNextWaitsUntilTheTurnEnds) {
    take("a");
    take("b");
    EXPECT_EQ(order_, "a");
    end_turn();
    run_what_was_posted();
    EXPECT_EQ(order_, "ab");
}

TEST_F(RoomTurnsTest, WhatWaitsKeepsItsOrder) {
    take("a");
    take("b");
    turns_.take(RoomId::trusted("r-1"), loop_, [this](RoomTurn) { order_ += "c"; });  // ends its turn at once
    turns_.take(RoomId::trusted("r-1"), loop_, [this](RoomTurn) {
        order_ += "d";
        loop_.stop();
    });
    end_turn();
    loop_.post([this] { end_turn(); });
    loop_.run();
    EXPECT_EQ(order_, "abcd");
}

TEST_F(RoomTurnsTest, RoomsDoNotWaitForEachOther) {
    take("a", "r-1");
    const RoomTurn first = held_;
    take("b", "r-2");
    EXPECT_EQ(order_, "ab");
}

TEST_F(RoomTurnsTest, ARoomIsFreeAgainAfterItsLastTurn) {
    take("a");
    end_turn();
    take("b");
    EXPECT_EQ(order_, "ab");
}

TEST_F(RoomTurnsTest, ATurnMayOutliveTheTurns) {
    auto turns = std::make_unique<RoomTurns>();
    RoomTurn kept;
    turns->take(RoomId::trusted("r-1"), loop_, [&kept](RoomTurn turn) { kept = std::move(turn); });
    turns->take(RoomId::trusted("r-1"), loop_, [this](RoomTurn) { order_ += "never"; });
    turns.reset();
    kept.reset();
    run_what_was_posted();
    EXPECT_EQ(order_, "");
}

}  // namespace
}  // namespace parley::gateway
