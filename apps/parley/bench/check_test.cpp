// A check that cannot fail is worthless: each way in which a server can go wrong is tried.
#include <gtest/gtest.h>

#include "bench/flights.h"
#include "bench/receiver_check.h"
#include "bench/room_check.h"

namespace parley::bench {
namespace {

Stamp stamp(std::uint32_t sender, std::uint32_t counter) { return {1000 + counter, sender, counter}; }

/// A room with senders 3 and 7 and one receiver, which everybody has agreed with so far.
class Check : public testing::Test {
protected:
    void hear(std::uint64_t seq, const Stamp& message) { receiver.on_seq(seq, message); }
    /// Seqs 1 to 4: the senders in turn, all acknowledged.
    void four_messages() {
        for (std::uint32_t i = 0; i < 4; ++i) {
            const Stamp message = stamp(i % 2 == 0 ? 3 : 7, i / 2 + 1);
            room.acknowledge(i + 1, message);
            hear(i + 1, message);
        }
    }

    Tally tally;
    RoomCheck room{"room", tally};
    Senders senders{.acknowledged = std::vector<std::uint32_t>(10), .event_times = {}};
    ReceiverCheck::Room place{&room, &senders, 3, 4, 2};
    ReceiverCheck receiver{0, place, tally};
};

TEST_F(Check, PassesWhatIsInOrder) {
    four_messages();
    EXPECT_EQ(tally.faults.total(), 0u);
    EXPECT_TRUE(receiver.complete(true));
    EXPECT_TRUE(room.is_dense());
}

TEST_F(Check, SeesALostDelivery) {
    four_messages();
    hear(6, stamp(7, 3));
    EXPECT_EQ(tally.faults.gaps, 1u);
}

TEST_F(Check, SeesThatTheFirstDeliveryIsMissing) {
    hear(2, stamp(7, 1));
    EXPECT_EQ(tally.faults.gaps, 1u);
}

TEST_F(Check, SeesThatTheLastDeliveryIsMissing) {
    four_messages();
    room.acknowledge(5, stamp(3, 3));
    EXPECT_FALSE(receiver.complete(true));
    hear(5, stamp(3, 3));
    EXPECT_TRUE(receiver.complete(true));
}

TEST_F(Check, SeesADoubledDelivery) {
    four_messages();
    hear(4, stamp(7, 2));
    EXPECT_EQ(tally.faults.repeats, 1u);
}

TEST_F(Check, SeesReorderedDeliveries) {
    four_messages();
    hear(6, stamp(7, 3));
    hear(5, stamp(3, 3));
    EXPECT_EQ(tally.faults.gaps, 1u);
    EXPECT_EQ(tally.faults.repeats, 1u);
}

TEST_F(Check, SeesAnotherMessageUnderAKnownSeq) {
    four_messages();
    ReceiverCheck other{1, place, tally};
    other.on_seq(1, stamp(7, 9));
    EXPECT_EQ(tally.faults.mixed_up, 1u);
}

TEST_F(Check, SeesAMessageStoredTwice) {
    four_messages();
    hear(5, stamp(7, 2));
    EXPECT_EQ(tally.faults.reordered, 1u);
}

TEST_F(Check, SeesASendersMessagesStoredInAnotherOrder) {
    four_messages();
    hear(5, stamp(3, 4));
    hear(6, stamp(3, 3));
    EXPECT_EQ(tally.faults.lost, 1u);
    EXPECT_EQ(tally.faults.reordered, 1u);
}

TEST_F(Check, SeesThatAnAcknowledgedMessageWasNeverStored) {
    four_messages();
    hear(5, stamp(3, 4));
    EXPECT_EQ(tally.faults.lost, 1u);
}

TEST_F(Check, DoesNotMissAMessageThatWasRefused) {
    four_messages();
    room.refused(3);
    hear(5, stamp(3, 4));
    EXPECT_EQ(tally.faults.lost, 0u);
}

TEST_F(Check, SeesTwoReceiptsWithOneSeq) {
    four_messages();
    room.acknowledge(4, stamp(7, 2));
    EXPECT_EQ(tally.faults.doubled_seqs, 1u);
}

TEST_F(Check, SeesASeqThatIsNobodysMessage) {
    room.acknowledge(1, stamp(3, 1));
    room.acknowledge(3, stamp(3, 2));
    EXPECT_FALSE(room.is_dense());
}

TEST_F(Check, HoldsOverMoreSeqsThanAreRemembered) {
    for (std::uint32_t i = 1; i <= 40'000; ++i) {
        room.acknowledge(i, stamp(3, i));
        hear(i, stamp(3, i));
    }
    EXPECT_EQ(tally.faults.total(), 0u);
    EXPECT_TRUE(room.is_dense());
}

TEST_F(Check, LateReceiverMustHearWhatWasSentAfterItWasLive) {
    for (std::uint32_t i = 1; i <= 3; ++i) room.acknowledge(i, stamp(3, i));
    ReceiverCheck late{1, place, tally};
    late.live(1002, 0);  // between the second and the third
    EXPECT_FALSE(late.complete(true));
    late.on_seq(3, stamp(3, 3));
    EXPECT_EQ(tally.faults.total(), 0u);
    ReceiverCheck deaf{2, place, tally};
    deaf.live(1001, 0);
    deaf.on_seq(3, stamp(3, 3));
    EXPECT_EQ(tally.faults.gaps, 1u);
}

TEST_F(Check, ResumedReceiverMustHearTheNextSeq) {
    four_messages();
    ReceiverCheck resumed{1, place, tally};
    resumed.live(5000, 2);
    resumed.on_seq(4, stamp(7, 2));
    EXPECT_EQ(tally.faults.gaps, 1u);
}

TEST_F(Check, RecordsThatAreNobodysTakeSeqsButAreNoMessages) {
    room.begin_at(2);
    receiver.live(0, 2);
    hear(3, RoomCheck::kNobodys);
    hear(4, stamp(3, 1));
    room.acknowledge(4, stamp(3, 1));
    EXPECT_EQ(tally.faults.total(), 0u);
    EXPECT_TRUE(room.is_dense());
    hear(6, RoomCheck::kNobodys);
    EXPECT_EQ(tally.faults.gaps, 1u);
}

TEST_F(Check, WithoutSeqsEachSendersNumbersMustBeDense) {
    senders.acknowledged[3] = 3;
    receiver.on_counter(stamp(3, 1));
    receiver.on_counter(stamp(3, 2));
    EXPECT_EQ(tally.faults.total(), 0u);
    EXPECT_FALSE(receiver.complete(false));
    receiver.on_counter(stamp(3, 2));
    EXPECT_EQ(tally.faults.repeats, 1u);
    receiver.on_counter(stamp(3, 4));
    EXPECT_EQ(tally.faults.gaps, 1u);
    receiver.on_counter(stamp(4, 1));
    EXPECT_EQ(tally.faults.unreadable, 1u);
}

TEST_F(Check, EventsMustBeAsManyAsWereSent) {
    senders.acknowledged[7] = 2;
    EXPECT_EQ(receiver.on_event(7), 1u);
    EXPECT_FALSE(receiver.complete(false));
    EXPECT_EQ(receiver.on_event(7), 2u);
    EXPECT_TRUE(receiver.complete(false));
    receiver.on_event(7);
    EXPECT_FALSE(receiver.complete(false));
}

TEST(Flights, EachIsAnsweredOnce) {
    Flights flights;
    for (std::uint32_t i = 1; i <= 100; ++i) flights.begin(stamp(0, i));
    for (const std::uint32_t answer : {50U, 1U, 100U, 2U}) {
        EXPECT_EQ(flights.end(answer), stamp(0, answer));
        EXPECT_FALSE(flights.end(answer)) << answer;
    }
    EXPECT_EQ(flights.size(), 96u);
    EXPECT_FALSE(flights.end(0));
    EXPECT_FALSE(flights.end(101));
}

}  // namespace
}  // namespace parley::bench
