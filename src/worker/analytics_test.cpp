#include "worker/analytics.h"

#include "worker/room_figures.h"
#include "worker/worker_fixture.h"

namespace parley::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AnalyticsTest : public ReaderTest {
protected:
    AnalyticsTest() { clock.advance(milliseconds{40'000}); }  // a whole minute
    void say(const std::string& content, const std::string& sender = "u-1") {
        figures.add(*log.add("r", content, sender));
    }
    std::string json(bool all = true) { return figures.json("r", clock.wall(), all); }
    RoomFigures figures;
};

TEST_F(AnalyticsTest, CountsMessagesAndWhoseTheyAre) {
    say("a");
    say("b");
    say("c", "u-2");
    EXPECT_THAT(json(), HasSubstr(R"({"roomId":"r","messages":3,"types":{"TALK":3,"JOIN":0,)"));
    EXPECT_THAT(json(), HasSubstr(R"({"memberId":"u-1","messages":2,"lastAt":")" + format_iso(clock.wall()) + R"(",)"));
    EXPECT_THAT(json(), HasSubstr(R"({"memberId":"u-2","messages":1,)"));
    EXPECT_THAT(json(false), Not(HasSubstr("u-1")));
    EXPECT_THAT(json(false), HasSubstr(R"("members":2,"anomalies":0})"));
}

TEST_F(AnalyticsTest, RatesAreOfTheWholeMinutesBeforeNow) {
    say("a");
    say("b");
    EXPECT_THAT(json(), HasSubstr(R"("lastMinute":0,"last5Minutes":0,"lastHour":0)"));
    clock.advance(milliseconds{60'000});
    say("c");
    EXPECT_THAT(json(), HasSubstr(R"("lastMinute":2,"last5Minutes":2,"lastHour":2)"));
    clock.advance(milliseconds{60'000});
    EXPECT_THAT(json(), HasSubstr(R"("lastMinute":1,"last5Minutes":3,"lastHour":3)"));
    clock.advance(milliseconds{50 * 60'000});
    EXPECT_THAT(json(), HasSubstr(R"("lastMinute":0,"last5Minutes":0,"lastHour":3)"));
    clock.advance(milliseconds{10 * 60'000});
    EXPECT_THAT(json(), HasSubstr(R"("lastHour":0)"));
}

TEST_F(AnalyticsTest, AMembersRatesAreOfTheWholeMinutesBeforeNow) {
    const auto rates = [&](int minute, int five_minutes) {
        EXPECT_THAT(json(), HasSubstr("\"lastMinute\":" + std::to_string(minute) +
                                      ",\"last5Minutes\":" + std::to_string(five_minutes) + "}"));
    };
    say("a");
    say("b");
    rates(0, 0);
    clock.advance(milliseconds{60'000});
    say("c");
    rates(2, 2);
    clock.advance(milliseconds{4 * 60'000});
    say("d");
    rates(0, 3);
    clock.advance(milliseconds{60'000});
    rates(1, 2);
    clock.advance(milliseconds{60 * 60'000});
    say("e");
    rates(0, 0);
    clock.advance(milliseconds{60'000});
    rates(1, 1);
}

TEST_F(AnalyticsTest, FiguresThatAnEarlierVersionSavedGoOn) {
    say("a");
    std::string saved = figures.save();
    const auto member = saved.find("member u-1");
    saved.resize(saved.size() - std::string{" 1 0 0 0 0 0"}.size());
    saved.resize(saved.rfind(' '));
    ASSERT_EQ(std::ranges::count(saved.substr(member), ' '), 8) << saved;
    figures = RoomFigures::parse(saved + "\nanomaly 1 u-1 1 5");
    say("b");
    EXPECT_THAT(json(), HasSubstr(R"({"memberId":"u-1","messages":2,)"));
    EXPECT_THAT(json(), HasSubstr(R"("anomalies":1)"));
}

TEST_F(AnalyticsTest, FiftyMessagesOfAMemberWithinTenSecondsAreAFloodOnce) {
    for (int i = 0; i < 49; ++i) say(std::to_string(i));
    EXPECT_THAT(json(), HasSubstr(R"("marks":[])"));
    for (int i = 49; i < 80; ++i) say(std::to_string(i));
    EXPECT_THAT(json(), HasSubstr(R"("marks":[{"kind":"flood","memberId":"u-1","seq":50,)"));
    EXPECT_THAT(json(), HasSubstr(R"("anomalies":1)"));
}

TEST_F(AnalyticsTest, WhoIsSlowerOrOneOfManyFloodsNothing) {
    for (int i = 0; i < 100; ++i) {
        say(std::to_string(i), "u-" + std::to_string(i % 3));
        clock.advance(milliseconds{100});
    }
    EXPECT_THAT(json(), HasSubstr(R"("marks":[])"));
}

TEST_F(AnalyticsTest, TheSameTextFiveTimesInARowIsARepeatOnce) {
    for (int i = 0; i < 4; ++i) say("buy");
    say("other");
    for (int i = 0; i < 4; ++i) say("buy");
    EXPECT_THAT(json(), HasSubstr(R"("marks":[])"));
    for (int i = 0; i < 4; ++i) say("buy");
    EXPECT_THAT(json(), HasSubstr(R"("marks":[{"kind":"repeat","memberId":"u-1","seq":10,)"));
    EXPECT_THAT(json(), HasSubstr(R"("anomalies":1)"));
}

TEST_F(AnalyticsTest, WhatIsSavedIsWhatWasThere) {
    for (int i = 0; i < 60; ++i) say(i % 2 == 0 ? "buy" : "sell");
    for (int i = 0; i < 9; ++i) say("buy", "u-2");
    clock.advance(milliseconds{60'000});
    EXPECT_EQ(RoomFigures::parse(figures.save()).json("r", clock.wall(), true), json());
    EXPECT_EQ(RoomFigures::parse(figures.save()).save(), figures.save());
    EXPECT_THAT(json(), HasSubstr(R"("anomalies":2)"));
}

TEST_F(AnalyticsTest, MoreMembersThanHaveAPlaceAreCountedTogether) {
    for (int i = 0; i < 510; ++i) say("x", "u-" + std::to_string(i));
    EXPECT_THAT(json(), HasSubstr(R"("messages":510,)"));
    EXPECT_THAT(json(), HasSubstr(R"("members":500,)"));
    EXPECT_THAT(json(), HasSubstr(R"("otherMembersMessages":10,)"));
}

TEST_F(AnalyticsTest, AProcessThatDiesCountsEachMessageOnce) {
    AnalyticsRole counting{metrics};
    const auto one = reader(counting);
    run(*one);
    one->offer(std::vector{log.add("r", "a")});
    run(*one);
    pass(*one, milliseconds{2'000});
    one->offer(std::vector{log.add("r", "b")});
    run(*one);  // counted, not saved
    const auto two = reader(counting);
    run(*two);
    two->close();
    EXPECT_THAT(**AnalyticsRole::room(ledger, "r", clock.wall()), HasSubstr(R"("messages":2,)"));
    EXPECT_FALSE(*AnalyticsRole::room(ledger, "other", clock.wall()));
}

TEST_F(AnalyticsTest, RoomsComeInPages) {
    AnalyticsRole counting{metrics};
    for (const char* room : {"b", "a", "c"}) log.add(room, "x");
    const auto one = reader(counting);
    run(*one);
    one->close();
    const auto first = *AnalyticsRole::rooms(ledger, {}, 2, clock.wall());
    EXPECT_THAT(first, HasSubstr(R"({"rooms":[{"roomId":"a")"));
    EXPECT_THAT(first, HasSubstr(R"(],"next":"b"})"));
    const auto rest = *AnalyticsRole::rooms(ledger, "b", 2, clock.wall());
    EXPECT_THAT(rest, HasSubstr(R"({"rooms":[{"roomId":"c")"));
    EXPECT_THAT(rest, Not(HasSubstr("next")));
}

}  // namespace
}  // namespace parley::worker
