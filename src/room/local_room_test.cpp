#include <limits>
#include <random>

#include "room/room_fixture.h"

namespace parley::room {
namespace {

using Kind = RoomChange::Kind;
using Rooms = testing::RoomTest;
using testing::Reader;

// --- where it begins ----------------------------------------------------------------------------------------------

TEST_F(Rooms, LiveSubscriberSeesWhatComesAfterIt) {
    store(3);
    Reader& reader = subscribe();
    settle();
    say(2);
    EXPECT_EQ(reader.heard, "live@3 4 5 ");
}

TEST_F(Rooms, NothingReachesTheSinkInsideSubscribe) {
    const Reader& reader = subscribe();
    EXPECT_EQ(reader.heard, "");
    settle();
    const Reader& second = subscribe(after(0));
    EXPECT_EQ(second.heard, "");
    settle();
    EXPECT_EQ(second.heard, "live@0 ");
}

TEST_F(Rooms, HistoryComesFirstThenLive) {
    store(10);
    Reader& reader = subscribe(after(7));
    settle();
    EXPECT_EQ(reader.heard, "8r 9r 10r live@10 ");
    say();
    EXPECT_EQ(reader.heard, "8r 9r 10r live@10 11 ");
}

TEST_F(Rooms, LastAsksForWhatThereIs) {
    store(10);
    log.trim(room, {9});
    const Reader& two = subscribe(last(2));
    const Reader& many = subscribe(last(100));
    const Reader& none = subscribe(last(0));
    settle();
    EXPECT_EQ(two.heard, "9r 10r live@10 ");
    EXPECT_EQ(many.heard, "9r 10r live@10 ");
    EXPECT_EQ(none.heard, "live@10 ");
}

TEST_F(Rooms, SinceBeginsAtTheTime) {
    store(10);
    const Reader& reader = subscribe(since(9));
    const Reader& future = subscribe(since(1000));
    settle();
    EXPECT_EQ(reader.heard, "9r 10r live@10 ");
    EXPECT_EQ(future.heard, "live@10 ");
}

TEST_F(Rooms, SinceATimeAheadOfTheAnnouncementsBeginsAtThem) {
    subscribe();
    settle();
    say(3);
    const auto unheard = store(2);
    Reader& reader = subscribe(since(1000));  // the log answers: after 5
    settle();
    EXPECT_EQ(reader.heard, "live@3 ");
    announce(unheard);
    EXPECT_EQ(reader.heard, "live@3 4 5 ");
}

TEST_F(Rooms, PositionAboveTheHeadIsInvalid) {
    store(3);
    const Reader& reader = subscribe(after(4));
    settle();
    EXPECT_EQ(reader.heard, "invalid@3 ");
}

TEST_F(Rooms, PositionAheadOfALogThatIsBehindWaitsUntilTheLogKnows) {
    log.is_behind = true;
    store(3);
    const Reader& reader = subscribe(after(4));
    const Reader& wrong = subscribe(after(6));
    settle();
    EXPECT_EQ(reader.heard, "");
    say();
    settle();
    EXPECT_EQ(wrong.heard, "");
    log.is_behind = false;
    pass(seconds{5});
    settle();
    EXPECT_EQ(reader.heard, "live@4 ");
    EXPECT_EQ(wrong.heard, "invalid@4 ");
}

TEST_F(Rooms, PositionOfAnotherEpochIsInvalidAndOfThisOneIsNot) {
    store(3);
    Start other = after(1);
    other.epoch = Epoch{8};
    Start same = after(2);
    same.epoch = Epoch{7};
    const Reader& refused = subscribe(other);
    const Reader& reader = subscribe(same);
    settle();
    EXPECT_EQ(refused.heard, "invalid@3 ");
    EXPECT_EQ(reader.heard, "3r live@3 ");
}

TEST_F(Rooms, PositionTheLogKnowsButNobodyAnnouncedYetIsFilledUpToAndGoesOn) {
    subscribe();
    settle();
    say(3);
    store(2);  // announced elsewhere, where the client got them
    Reader& reader = subscribe(after(5));
    settle();
    EXPECT_EQ(reader.heard, "");
    pass(milliseconds{30});
    settle();
    pass(milliseconds{30});
    settle();
    EXPECT_EQ(reader.heard, "live@5 ");
    EXPECT_EQ(readers[0]->heard, "live@0 1 2 3 4 5 ");
    say();
    EXPECT_EQ(reader.heard, "live@5 6 ");
}

TEST_F(Rooms, PositionBelowWhatIsKeptIsToldAndGoesOn) {
    store(10);
    log.trim(room, {7});
    const Reader& reader = subscribe(after(2));
    settle();
    EXPECT_EQ(reader.heard, "first@7 7r 8r 9r 10r live@10 ");
}

TEST_F(Rooms, PositionWhereEverythingIsTrimmedGoesLive) {
    store(10);
    log.trim(room, {11});
    Reader& reader = subscribe(after(2));
    settle();
    EXPECT_EQ(reader.heard, "first@11 live@10 ");
    say();
    EXPECT_EQ(reader.heard, "first@11 live@10 11 ");
}

// --- history under live traffic -----------------------------------------------------------------------------------

TEST_F(Rooms, WhatIsAnnouncedBeforeTheHeadIsKnownIsNotLost) {
    store(2);
    Reader& reader = subscribe();
    turn();
    pool.run_one();  // the log has answered: head 2
    say(2);
    turn();
    EXPECT_EQ(reader.heard, "live@2 3 4 ");
}

TEST_F(Rooms, LiveTrafficWhileHistoryIsReadMakesNoGapAndNoDouble) {
    store(30);
    Reader& reader = subscribe(after(0));
    for (int i = 0; i < 40; ++i) {
        say();
        answer();
    }
    settle();
    std::vector<std::uint64_t> all(70);
    for (std::uint64_t i = 0; i < 70; ++i) all[i] = i + 1;
    EXPECT_EQ(reader.seqs(), all);
    EXPECT_TRUE(reader.subscription->is_live());
}

TEST_F(Rooms, PageThatIsAheadOfTheAnnouncementsIsCutAndTheRestComesLive) {
    store(2);
    subscribe();
    settle();
    Reader& reader = subscribe(after(0));
    turn();
    const auto unheard = store(1);
    settle();
    EXPECT_EQ(reader.heard, "1r 2r live@2 ");
    announce(unheard);
    EXPECT_EQ(reader.heard, "1r 2r live@2 3 ");
}

TEST_F(Rooms, RecentMessagesNeedNoLog) {
    Reader& first = subscribe();
    settle();
    say(5);
    log.is_down = true;
    const Reader& reader = subscribe(after(2));
    turn();
    EXPECT_EQ(reader.heard, "3r 4r 5r live@5 ");
    EXPECT_EQ(first.heard, "live@0 1 2 3 4 5 ");
}

TEST_F(Rooms, LogTroubleOnlyDelays) {
    store(6);
    log.is_down = true;
    const Reader& reader = subscribe(after(0));
    const Reader& timed = subscribe(since(6));
    settle();
    pass(milliseconds{600});
    settle();
    EXPECT_EQ(reader.heard, "");
    log.is_down = false;
    pass(milliseconds{600});
    answer();  // the head is known
    log.is_down = true;
    settle();
    pass(milliseconds{600});
    settle();
    log.is_down = false;
    pass(milliseconds{600});
    settle();
    EXPECT_EQ(reader.heard, "1r 2r 3r 4r 5r 6r live@6 ");
    EXPECT_EQ(timed.heard, "6r live@6 ");
}

// --- gaps ---------------------------------------------------------------------------------------------------------

TEST_F(Rooms, ReorderedAnnouncementsAreSortedWithoutTheLog) {
    const Reader& reader = subscribe();
    settle();
    const auto said = store(3);
    announce({said[1]});
    announce({said[2]});
    EXPECT_EQ(reader.heard, "live@0 ");
    announce({said[0]});
    EXPECT_EQ(reader.heard, "live@0 1 2 3 ");
    pass(milliseconds{50});
    EXPECT_EQ(pool.waiting(), 0u);
}

TEST_F(Rooms, RepeatedAnnouncementsAreHeardOnce) {
    const Reader& reader = subscribe();
    settle();
    const auto said = store(3);
    announce({said[0], said[1]});
    announce({said[0], said[1], said[2]});
    announce(said);
    EXPECT_EQ(reader.heard, "live@0 1 2 3 ");
}

TEST_F(Rooms, BatchWithAHoleIsFilled) {
    const Reader& reader = subscribe();
    settle();
    const auto said = store(3);
    announce({said[0], said[2]});
    pass(milliseconds{30});
    settle();
    EXPECT_EQ(reader.heard, "live@0 1 2 3 ");
}

TEST_F(Rooms, LostAnnouncementsAreReadFromTheLogInOnePieceAfterAnother) {
    const Reader& reader = subscribe();
    settle();
    store(20);
    say();
    EXPECT_EQ(reader.heard, "live@0 ");
    pass(milliseconds{30});
    EXPECT_EQ(pool.waiting(), 1u);
    settle();
    EXPECT_EQ(reader.seqs().size(), 21u);
    EXPECT_EQ(reader.seqs().back(), 21u);
}

TEST_F(Rooms, GapIsTriedAgainWhileTheLogIsDownAndMoreComesThanIsKept) {
    const Reader& reader = subscribe();
    settle();
    store(1);
    log.is_down = true;
    for (int i = 0; i < 30; ++i) {
        say();
        pass(milliseconds{30});
        settle();
    }
    EXPECT_EQ(reader.heard, "live@0 ");
    log.is_down = false;
    pass(milliseconds{600});
    settle();
    EXPECT_EQ(reader.seqs().size(), 31u);
    say();
    EXPECT_EQ(reader.seqs().size(), 32u);
}

TEST_F(Rooms, GapThatIsNoLongerKeptIsToldAndTheRoomGoesOn) {
    Reader& reader = subscribe();
    settle();
    say(2);
    store(5);
    log.trim(room, {6});
    say();
    pass(milliseconds{30});
    settle();
    EXPECT_EQ(reader.heard, "live@0 1 2 first@6 6 7 8 ");
    say();
    EXPECT_EQ(reader.heard, "live@0 1 2 first@6 6 7 8 9 ");
}

TEST_F(Rooms, TrimmedBeyondWhatWasAnnouncedStopsNobodyForEver) {
    Reader& live = subscribe();
    settle();
    say(8);
    Reader& reader = subscribe(after(0));
    turn();
    store(4);
    log.trim(room, {12});
    settle();
    pass(milliseconds{30});
    settle();
    pass(milliseconds{600});
    settle();
    EXPECT_EQ(live.heard, "live@0 1 2 3 4 5 6 7 8 first@12 12 ");
    EXPECT_EQ(reader.heard, "first@12 12 live@12 ");
}

// --- slow readers -------------------------------------------------------------------------------------------------

TEST_F(Rooms, FullReaderIsSetBackAndTheOthersKeepTheirOrder) {
    Reader& slow = subscribe();
    const Reader& quick = subscribe();
    settle();
    slow.budget = 1;
    say();
    say();
    say();
    EXPECT_EQ(slow.heard, "live@0 1 back@1 ");
    EXPECT_EQ(quick.heard, "live@0 1 2 3 ");
    slow.budget = 100;
    slow.subscription->on_drained();
    EXPECT_EQ(slow.heard, "live@0 1 back@1 2r 3 ");
    say();
    EXPECT_EQ(slow.heard, "live@0 1 back@1 2r 3 4 ");
}

TEST_F(Rooms, ReaderThatTakesSomeOfARunGetsThatMuch) {
    Reader& reader = subscribe();
    settle();
    reader.budget = 2;
    say(5);
    EXPECT_EQ(reader.seqs(), (std::vector<std::uint64_t>{1, 2}));
    reader.budget = 2;
    reader.subscription->on_drained();
    reader.budget = 9;
    reader.subscription->on_drained();
    EXPECT_EQ(reader.seqs(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(Rooms, HistoryWaitsForTheReaderTooEvenWhenItFillsUpMeanwhile) {
    store(10);
    Reader& reader = subscribe(after(0));
    reader.budget = 3;
    turn();
    answer();
    reader.budget = 1;  // another subscription of the session took the rest
    settle();
    EXPECT_EQ(reader.seqs(), (std::vector<std::uint64_t>{1}));
    reader.budget = 100;
    reader.subscription->on_drained();
    settle();
    EXPECT_EQ(reader.seqs().size(), 10u);
}

TEST_F(Rooms, SetBackFurtherThanTheRecentOnesIsFilledFromTheLog) {
    Reader& slow = subscribe();
    settle();
    slow.budget = 0;
    for (int i = 0; i < 30; ++i) say();
    slow.budget = 1000;
    slow.subscription->on_drained();
    settle();
    EXPECT_EQ(slow.seqs().size(), 30u);
    EXPECT_EQ(slow.seqs().back(), 30u);
}

TEST_F(Rooms, EventsAreTheFirstToGoAndNeverMakeAReaderFallBack) {
    Reader& events = subscribe_events();
    Reader& reader = subscribe();
    settle();
    hub->on_room_event(room, "typing");
    events.budget = 0;
    hub->on_room_event(room, "typing");
    EXPECT_EQ(events.heard, "typing ");
    EXPECT_EQ(reader.heard, "live@0 ");
}

// --- ending, from anywhere ----------------------------------------------------------------------------------------

TEST_F(Rooms, NothingComesAfterStop) {
    store(6);
    Reader& reader = subscribe(after(0));
    turn();
    reader.subscription->stop();
    settle();
    say();
    reader.subscription->on_drained();
    EXPECT_EQ(reader.heard, "");
}

TEST_F(Rooms, AnyCallbackMayStopAnySubscription) {
    for (const int victim : {0, 1, 2}) {
        for (const int stopper : {0, 1, 2}) {
            readers.clear();
            settle();
            for (int i = 0; i < 3; ++i) subscribe();
            settle();
            std::string before[3];
            for (int i = 0; i < 3; ++i) before[i] = readers[static_cast<std::size_t>(i)]->heard;
            Reader& stops = *readers[static_cast<std::size_t>(stopper)];
            Reader& stopped = *readers[static_cast<std::size_t>(victim)];
            stops.on_take = [&] { stopped.subscription->stop(); };
            say();
            say();
            for (const auto& reader : readers) {
                EXPECT_TRUE(reader.get() == &stopped || reader->seqs().size() == 2);
            }
            EXPECT_LE(stopped.seqs().size(), 1u);
        }
    }
}

TEST_F(Rooms, StopFromInsideHistoryLiveAndSetBackIsLegal) {
    store(9);
    Reader& history = subscribe(after(0));
    history.on_take = [&] { history.subscription->stop(); };
    Reader& live = subscribe();
    live.on_take = [&] { live.subscription->stop(); };
    Reader& back = subscribe();
    settle();
    back.budget = 2;
    back.on_take = [&] { back.subscription->stop(); };
    say(4);
    settle();
    EXPECT_EQ(history.heard, "1r 2r 3r 4r ");
    EXPECT_EQ(live.heard, "live@9 ");
    EXPECT_EQ(back.heard, "live@9 back@9 ");
    turn();
    EXPECT_EQ(hub->rooms(), 0u);
}

TEST_F(Rooms, SubscribingFromInsideACallbackIsLegal) {
    Reader& reader = subscribe();
    settle();
    reader.on_take = [&] {
        reader.on_take = nullptr;
        subscribe(after(0));
        subscribe_events();
    };
    say(2);
    settle();
    say();
    EXPECT_EQ(readers[1]->heard, "1r 2r live@2 3 ");
}

TEST_F(Rooms, RoomWithoutSubscribersIsDroppedUnlessSomebodyCameBack) {
    subscribe().subscription.reset();
    EXPECT_EQ(hub->rooms(), 1u);
    settle();
    EXPECT_EQ(hub->rooms(), 0u);
    subscribe().subscription.reset();
    Reader& reader = subscribe();
    settle();
    EXPECT_EQ(hub->rooms(), 1u);
    say();
    EXPECT_EQ(reader.heard, "live@0 1 ");
}

TEST_F(Rooms, AnswerForADroppedRoomNeverReachesALaterOne) {
    store(20);
    for (int round = 0; round < 50; ++round) {
        // Both rooms and subscriptions may well have the same addresses.
        auto first = std::make_unique<Reader>();
        first->subscription = hub->subscribe(room, *first, form, "sub-1", after(10));
        turn();
        answer();  // the head; a page after 10 is asked for
        first.reset();
        turn();
        Reader& second = subscribe(after(0));
        settle();
        const auto seqs = second.seqs();
        ASSERT_EQ(seqs.size(), 20u);
        for (std::size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], i + 1);
        readers.clear();
        settle();
    }
}

TEST_F(Rooms, HubThatEndsLeavesSubscriptionsHarmless) {
    store(3);
    Reader& reader = subscribe(after(0));
    Reader& waiting = subscribe();
    settle();
    waiting.budget = 0;
    say();
    Reader& asking = subscribe(after(0));
    turn();
    hub.reset();
    settle();
    reader.subscription->on_drained();
    waiting.subscription->on_drained();
    asking.subscription.reset();
    EXPECT_EQ(reader.subscription->room(), RoomId{});
}

// --- rights that end ----------------------------------------------------------------------------------------------

TEST_F(Rooms, KickEndsTheMembersSubscriptionsAtItsRecord) {
    Reader& kicked = subscribe({}, "u-bad");
    Reader& stays = subscribe({}, "u-good");
    Reader& events = subscribe_events("u-bad");
    settle();
    auto said = store(1);
    said.push_back(store_change(Kind::kKicked, "u-bad"));
    said.push_back(store(1)[0]);
    announce(said);
    hub->on_room_event(room, "typing");
    EXPECT_EQ(kicked.heard, "live@0 1 2 ended ");
    EXPECT_EQ(stays.heard, "live@0 1 2 3 ");
    EXPECT_EQ(events.heard, "ended ");
}

TEST_F(Rooms, KickEndsAReaderThatIsStillInItsHistory) {
    store(20);
    Reader& reader = subscribe(after(0), "u-bad");
    turn();
    answer();
    answer();
    announce({store_change(Kind::kKicked, "u-bad")});
    say();
    settle();
    EXPECT_EQ(reader.heard, "1r 2r 3r 4r ended ");
}

TEST_F(Rooms, LeavingEndsToo) {
    Reader& reader = subscribe({}, "u-9");
    settle();
    announce({store_change(Kind::kLeft, "u-9")});
    say();
    EXPECT_EQ(reader.heard, "live@0 1 ended ");
}

TEST_F(Rooms, TurnedPrivateHoldsEverybodyUntilTheyAreJudged) {
    Reader& member = subscribe({}, "u-1");
    Reader& outsider = subscribe({}, "u-2");
    Reader& events = subscribe_events("u-2");
    settle();
    announce({store_change(Kind::kMadePrivate)});
    say(2);
    hub->on_room_event(room, "typing");
    EXPECT_EQ(member.heard, "live@0 1 ");
    EXPECT_EQ(outsider.heard, "live@0 1 ");
    ASSERT_EQ(checks.size(), 3u);
    for (auto& [who, then] : checks) then(who == "u-1");
    EXPECT_EQ(member.heard, "live@0 1 2 3 ");
    EXPECT_EQ(outsider.heard, "live@0 1 ended ");
    EXPECT_EQ(events.heard, "ended ");
}

TEST_F(Rooms, TurnedPrivateHoldsReadersOfHistoryAndThoseWhoOnlyBegin) {
    store(6);
    subscribe({}, "u-1");
    settle();
    Reader& history = subscribe(after(0), "u-2");
    turn();
    Reader& beginning = subscribe(since(1), "u-2");
    turn();
    announce({store_change(Kind::kMadePrivate)});
    say();
    settle();
    for (auto& [who, then] : std::exchange(checks, {})) then(who == "u-1");
    settle();
    EXPECT_EQ(history.heard, "ended ");
    EXPECT_EQ(beginning.heard, "ended ");
    EXPECT_EQ(readers[0]->heard, "live@6 7 8 ");
}

TEST_F(Rooms, PageOnItsWayDuringTheJudgementIsReadOnceOnly) {
    store(8);
    Reader& reader = subscribe(after(0));
    turn();
    answer();
    announce({store_change(Kind::kMadePrivate)});
    checks.at(0).second(true);
    settle();
    EXPECT_EQ(reader.heard, "1r 2r 3r 4r 5r 6r 7r 8r 9 live@9 ");
}

TEST_F(Rooms, NobodyIsEndedBecauseTheDirectoryIsBusy) {
    Reader& reader = subscribe();
    settle();
    announce({store_change(Kind::kMadePrivate)});
    say();
    checks.at(0).second(fail(Code::kStoreUnavailable, "busy"));
    EXPECT_EQ(reader.heard, "live@0 1 ");
    pass(milliseconds{600});
    ASSERT_EQ(checks.size(), 2u);
    checks[1].second(true);
    EXPECT_EQ(reader.heard, "live@0 1 2 ");
}

TEST_F(Rooms, AnswerOfAJudgementAfterTheEndReachesNobody) {
    Reader& reader = subscribe();
    settle();
    announce({store_change(Kind::kMadePrivate)});
    reader.subscription.reset();
    checks.at(0).second(true);
    turn();
    hub.reset();
    EXPECT_EQ(reader.heard, "live@0 1 ");
}

TEST_F(Rooms, RecheckConcernsOnlyTheOneWhoseRightMayHaveEnded) {
    Reader& late = subscribe({}, "u-bad");
    Reader& other = subscribe({}, "u-good");
    settle();
    hub->recheck(room, {Kind::kKicked, MemberId::trusted("u-bad")},
                 [](const RoomId&, const MemberId&, UniqueFunction<void(Result<bool>)> then) { then(false); });
    say();
    EXPECT_EQ(late.heard, "live@0 ended ");
    EXPECT_EQ(other.heard, "live@0 1 ");
}

TEST_F(Rooms, RoomsDoNotMix) {
    Reader& reader = subscribe();
    settle();
    const RoomId other = RoomId::trusted("r-2");
    announce({log.put(other, {}), store(1)[0], log.put(other, {}), store(1)[0]});
    EXPECT_EQ(reader.heard, "live@0 1 2 ");
}

}  // namespace
}  // namespace parley::room
