#include "worker/reader.h"

#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Error kPoison{Code::kInternal, "cannot be done"};
const Error kAway{Code::kStoreUnavailable, "away"};

TEST_F(ReaderTest, ANewRoleReadsEveryRoomFromTheBeginning) {
    for (int i = 0; i < 250; ++i) log.add("b", "x");
    log.add("a", "x");
    log.add("~own", "x");
    const auto one = reader(role);
    run(*one);
    EXPECT_EQ(role.taken.size(), 252U);
    EXPECT_EQ(std::count(role.taken.begin(), role.taken.end(), "a-1"), 1);
}

TEST_F(ReaderTest, GoesOnBehindWhatWasSavedWithTheStateThatWasSaved) {
    log.add("a", "x");
    {
        const auto one = reader(role);
        run(*one);
        one->close();
    }
    EXPECT_EQ(ledger.value("listen/room/a"), "1\n1");
    log.add("a", "x");
    const auto two = reader(role);
    run(*two);
    two->close();
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2"));
    EXPECT_EQ(ledger.value("listen/room/a"), "2\n2");
}

TEST_F(ReaderTest, AProcessThatDiesRepeatsWhatItHadNotSaved) {
    const auto one = reader(role);
    run(*one);
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    pass(*one, milliseconds{2'000});
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    const auto two = reader(role);
    run(*two);
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2", "a-2"));
}

TEST_F(ReaderTest, AHintThatIsTheNextMessageNeedsNoRead) {
    const auto one = reader(role);
    run(*one);
    const int before = log.reads;
    one->offer(std::vector{log.add("a", "x"), log.add("a", "x")});
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2", "a-3"));
    EXPECT_EQ(log.reads, before);
}

TEST_F(ReaderTest, AGapIsFilledFromTheLogAndNothingIsTakenTwice) {
    const auto one = reader(role);
    run(*one);
    const auto first = log.add("a", "x");
    log.add("a", "x");
    const auto third = log.add("a", "x");
    one->offer(std::vector{first});
    one->offer(std::vector{third});
    one->offer(std::vector{first});
    run(*one);
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2", "a-3"));
}

TEST_F(ReaderTest, MoreHintsThanItHoldsAreReadFromTheLog) {
    const auto one = reader(role);
    run(*one);
    std::vector<MessageRef> many;
    for (int i = 0; i < 300; ++i) many.push_back(log.add("a", std::string(50'000, 'x')));
    one->offer(many);
    const int before = log.reads;
    run(*one);
    EXPECT_EQ(role.taken.size(), 300U);
    EXPECT_GT(log.reads, before);
}

TEST_F(ReaderTest, WhatNoHintToldOfIsFoundByListing) {
    const auto one = reader(role);
    run(*one);
    log.add("a", "x");
    run(*one);
    EXPECT_THAT(role.taken, IsEmpty());
    pass(*one, milliseconds{31'000});
    EXPECT_THAT(role.taken, ElementsAre("a-1"));
    log.add("a", "x");
    one->missed();
    run(*one);
    EXPECT_EQ(role.taken.size(), 2U);
}

TEST_F(ReaderTest, MoreRoomsThanAPageAreAllListed) {
    for (int i = 0; i < 2'500; ++i) log.add("r-" + std::to_string(i), "x");
    const auto one = reader(role);
    run(*one);
    EXPECT_EQ(role.taken.size(), 2'500U);
}

TEST_F(ReaderTest, RoomsThatAreDoneAreNotLookedAtAgainAfterARestart) {
    log.add("old", "x");
    clock.advance(milliseconds{3'600'000});
    {
        const auto one = reader(role);
        run(*one);
        one->close();
    }
    log.add("new", "x");
    const auto two = reader(role);
    run(*two);
    EXPECT_THAT(role.taken, ElementsAre("old-1", "new-1"));
    EXPECT_NE(ledger.value("listen/listed"), "none");
    const auto listed = log.list_rooms()({}, WallTime{milliseconds{std::stoll(ledger.value("listen/listed"))}}, 10);
    EXPECT_EQ(listed->size(), 1U);
}

TEST_F(ReaderTest, APoisonRecordIsTriedThriceThenWrittenDownAndTheRoomGoesOn) {
    role.faults["a-1"] = kPoison;
    log.add("a", "x");
    log.add("a", "x");
    const auto one = reader(role);
    run(*one);
    EXPECT_EQ(role.tries["a-1"], 1);
    EXPECT_THAT(role.taken, IsEmpty());
    pass(*one, milliseconds{750});
    EXPECT_EQ(role.tries["a-1"], 1);
    pass(*one, milliseconds{2'000});
    EXPECT_EQ(role.tries["a-1"], 3);
    EXPECT_THAT(role.taken, ElementsAre("a-2"));
    EXPECT_EQ(counted("parley_worker_dead_letters_total"), "1");
    EXPECT_EQ(counted("parley_worker_retries_total"), "2");
    DeadLetters dead{ledger, "listen", clock};
    const auto page = dead.list({}, 10);
    EXPECT_THAT(page->json, HasSubstr(R"("role":"listen","roomId":"a","seq":1,"messageId":"a-1")"));
    EXPECT_THAT(page->json, HasSubstr(R"("reason":"cannot be done")"));
    EXPECT_EQ(page->next, "");
}

TEST_F(ReaderTest, ADeadLetterThatCouldNotBeToldIsToldAgainBeforeTheRoomGoesOn) {
    role.faults["a-1"] = kPoison;
    log.add("a", "x");
    log.add("a", "x");
    int told = 0;
    Reader::Options options;
    options.on_dead_letter = [&told](const Message& message, const std::string& reason) -> Result<> {
        EXPECT_EQ(message.id.str() + reason, "a-1cannot be done");
        if (++told == 1) return fail(kAway);
        return {};
    };
    Reader one{{log, log.list_rooms(), ledger, clock, metrics}, options, role};
    pass(one, milliseconds{10'000});
    EXPECT_EQ(told, 2);
    EXPECT_THAT(role.taken, ElementsAre("a-2"));
    EXPECT_EQ(counted("parley_worker_dead_letters_total"), "1");
}

TEST_F(ReaderTest, OtherRoomsGoOnWhileOneWaits) {
    role.faults["a-1"] = kPoison;
    log.add("a", "x");
    log.add("b", "x");
    const auto one = reader(role);
    run(*one);
    EXPECT_THAT(role.taken, ElementsAre("b-1"));
}

TEST_F(ReaderTest, AnEffectThatThrowsIsADeadLetterToo) {
    role.throws.insert("a-1");
    log.add("a", "x");
    log.add("a", "x");
    const auto one = reader(role);
    run(*one);
    pass(*one, milliseconds{3'000});
    EXPECT_THAT(role.taken, ElementsAre("a-2"));
    EXPECT_THAT(DeadLetters(ledger, "listen", clock).list({}, 10)->json, HasSubstr("a broken effect"));
}

TEST_F(ReaderTest, AStoreThatIsAwayIsWaitedForAndNothingIsGivenUp) {
    role.faults["a-1"] = kAway;
    log.add("a", "x");
    const auto one = reader(role);
    run(*one);
    pass(*one, milliseconds{60'000});
    EXPECT_GT(role.tries["a-1"], 10);
    role.faults.clear();
    pass(*one, milliseconds{2'000});
    EXPECT_THAT(role.taken, ElementsAre("a-1"));
    EXPECT_EQ(counted("parley_worker_dead_letters_total"), "0");
}

TEST_F(ReaderTest, ALogOrALedgerThatIsAwayIsWaitedFor) {
    log.add("a", "x");
    ledger.is_down = true;
    const auto one = reader(role);
    run(*one);
    pass(*one, milliseconds{5'000});
    ledger.is_down = false;
    log.is_down = true;
    pass(*one, milliseconds{5'000});
    EXPECT_THAT(role.taken, IsEmpty());
    log.is_down = false;
    pass(*one, milliseconds{5'000});
    EXPECT_THAT(role.taken, ElementsAre("a-1"));
    EXPECT_EQ(ledger.value("listen/room/a"), "1\n1");
}

TEST_F(ReaderTest, AnEffectThatIsWaitedForMakesTheRoleStuckUntilItIsThereThoughOtherRoomsGoOn) {
    role.faults["a-1"] = kAway;
    log.add("a", "x");
    const auto one = reader(role);
    run(*one);
    pass(*one, milliseconds{5'000});
    EXPECT_FALSE(one->is_stuck());
    one->offer(std::vector{log.add("b", "x")});
    pass(*one, milliseconds{250});
    EXPECT_THAT(role.taken, ElementsAre("b-1"));
    EXPECT_TRUE(one->is_stuck());
    role.faults.clear();
    pass(*one, milliseconds{2'000});
    EXPECT_THAT(role.taken, ElementsAre("b-1", "a-1"));
    EXPECT_FALSE(one->is_stuck());
}

TEST_F(ReaderTest, ALedgerThatIsAwayMakesItStuckUntilItAnswersThoughNothingComes) {
    const auto one = reader(role);
    run(*one);
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    ledger.is_down = true;
    pass(*one, milliseconds{6'500});
    EXPECT_FALSE(one->is_stuck());
    pass(*one, milliseconds{1'000});
    EXPECT_TRUE(one->is_stuck());
    ledger.is_down = false;
    pass(*one, milliseconds{1'250});
    EXPECT_FALSE(one->is_stuck());
    EXPECT_EQ(ledger.value("listen/room/a"), "1\n1");
}

TEST_F(ReaderTest, OfSeveralServersEachIsStuckWhileTheLedgerIsAway) {
    const auto one = reader(role, "one");
    ledger.is_down = true;
    pass(*one, milliseconds{9'000});
    EXPECT_TRUE(one->is_stuck());
    ledger.is_down = false;
    pass(*one, milliseconds{4'000});
    EXPECT_FALSE(one->is_stuck());
    EXPECT_TRUE(one->is_at_work());
}

TEST_F(ReaderTest, ADeadLetterThatCannotBeToldMakesItStuck) {
    role.faults["a-1"] = kPoison;
    log.add("a", "x");
    Reader::Options options;
    options.on_dead_letter = [](const Message&, const std::string&) -> Result<> { return fail(kAway); };
    Reader one{{log, log.list_rooms(), ledger, clock, metrics}, options, role};
    pass(one, milliseconds{7'000});
    EXPECT_FALSE(one.is_stuck());
    pass(one, milliseconds{2'000});
    EXPECT_TRUE(one.is_stuck());
}

TEST_F(ReaderTest, AnEffectThatDoesNotEndMakesItStuck) {
    log.add("a", "x");
    const auto one = reader(role);
    role.on_take = [&] {
        EXPECT_FALSE(one->is_stuck());
        clock.advance(milliseconds{5'250});
        EXPECT_TRUE(one->is_stuck());
    };
    run(*one);
    EXPECT_THAT(role.taken, ElementsAre("a-1"));
    EXPECT_FALSE(one->is_stuck());
}

TEST_F(ReaderTest, APoisonRecordThatCannotBeWrittenDownIsNotPassedOver) {
    const auto one = reader(role);
    run(*one);
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    role.faults["a-2"] = kPoison;
    one->offer(std::vector{log.add("a", "x")});
    run(*one);
    ledger.is_down = true;
    pass(*one, milliseconds{10'000});
    EXPECT_EQ(counted("parley_worker_dead_letters_total"), "0");
    ledger.is_down = false;
    pass(*one, milliseconds{5'000});
    EXPECT_EQ(counted("parley_worker_dead_letters_total"), "1");
    EXPECT_EQ(ledger.value("listen/room/a"), "2\n1");
}

TEST_F(ReaderTest, WhatIsNoLongerKeptIsPassedOver) {
    for (int i = 0; i < 5; ++i) log.add("a", "x");
    log.trim("a", 4);
    const auto one = reader(role);
    run(*one);
    EXPECT_THAT(role.taken, ElementsAre("a-4", "a-5"));
}

TEST_F(ReaderTest, ALogThatWasPutBackIsReadOnFromItsEnd) {
    for (int i = 0; i < 5; ++i) log.add("a", "x");
    {
        const auto one = reader(role);
        run(*one);
        one->close();
    }
    log.put_back("a", 2);
    const auto two = reader(role);
    run(*two);
    two->offer(std::vector{log.add("a", "x")});
    run(*two);
    // The message with a seq that was done before is taken for done: where the log is put back is not told.
    pass(*two, milliseconds{31'000});
    two->offer(std::vector{log.add("a", "x"), log.add("a", "x"), log.add("a", "x")});
    run(*two);
    EXPECT_EQ(role.taken.back(), "a-6");
}

TEST_F(ReaderTest, OfTwoServersOneWorksAndTheOtherGoesOnWhenItStops) {
    ListeningRole others;
    log.add("a", "x");
    const auto one = reader(role, "one");
    const auto two = reader(others, "two");
    run(*one);
    run(*two);
    EXPECT_TRUE(one->is_at_work());
    EXPECT_FALSE(two->is_at_work());
    const auto second = log.add("a", "x");
    two->offer(std::vector{second});
    one->offer(std::vector{second});
    run(*one);
    run(*two);
    one->close();
    log.add("a", "x");
    pass(*two, milliseconds{4'000});
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2"));
    EXPECT_THAT(others.taken, ElementsAre("a-3"));
}

TEST_F(ReaderTest, AServerThatDiedIsFollowedWhenItsTimeIsOver) {
    ListeningRole others;
    const auto one = reader(role, "one");
    const auto two = reader(others, "two");
    run(*one);
    run(*two);
    log.add("a", "x");
    pass(*two, milliseconds{8'000});
    EXPECT_THAT(others.taken, IsEmpty());
    pass(*two, milliseconds{5'000});
    EXPECT_THAT(others.taken, ElementsAre("a-1"));
}

TEST_F(ReaderTest, WhoStoodStillReadsAgainWhatAnotherHasSaved) {
    ListeningRole others;
    const auto one = reader(role, "one");
    run(*one);
    one->offer(std::vector{log.add("a", "x")});
    run(*one);  // done, not saved
    const auto two = reader(others, "two");
    pass(*two, milliseconds{13'000});
    pass(*two, milliseconds{3'000});
    two->close();
    EXPECT_EQ(ledger.value("listen/room/a"), "1\n1");
    log.add("a", "x");
    pass(*one, milliseconds{32'000});
    one->close();
    EXPECT_THAT(role.taken, ElementsAre("a-1", "a-2"));
    EXPECT_EQ(ledger.value("listen/room/a"), "2\n2");
}

}  // namespace
}  // namespace parley::worker
