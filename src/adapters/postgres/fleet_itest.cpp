#include "adapters/postgres/log_fixture.h"

namespace parley::postgres {
namespace {

using testing::ElementsAre;

std::string name(const char* what, int number) { return what + std::to_string(number); }

TEST(Fleet, AServerThatStopsInMidTransactionHoldsTheOthersForThreeSecondsAtMost) {
    const Settings settings = fresh_settings();
    Node node{settings};
    ASSERT_TRUE(node.send("r-1", "u-1", "m-1").get());
    const auto stuck = Connection::open(settings, in(3s));
    ASSERT_TRUE(stuck);
    ASSERT_TRUE((*stuck)->script("BEGIN; SELECT * FROM heads FOR UPDATE", in(3s)));
    ASSERT_TRUE(node.send("r-1", "u-1", "m-2").get());
    EXPECT_THAT(node.ids("r-1"), ElementsAre("m-1", "m-2"));
}

TEST(Fleet, TheOldestGoAboveTheSizeAndTheOthersStay) {
    const Settings settings = fresh_settings();
    PostgresLogOptions options;
    options.keep.max_room_bytes = Bytes{10 * 1000};
    options.keep.interval = milliseconds{10};
    Node node{settings, std::move(options)};
    for (int n = 1; n <= 40; ++n)
        ASSERT_TRUE(
            node.send(n % 2 != 0 ? "r-large" : "r-small", "u", name("m-", n), n % 2 != 0 ? std::string(900, 'x') : "x")
                .get());
    Pool pool{settings};
    const SystemClock clock;
    LogTrimmer trimmer{{{}, Bytes{10 * 1000}, 1h}, clock, pool};
    while (trimmer.sweep().value_or(1) != 0) {
    }
    const auto head = node.log().head(RoomId::trusted("r-large"));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->head.value, 20u);
    EXPECT_GT(head->first.value, 8u);
    EXPECT_LT(head->first.value, 14u);
    EXPECT_EQ(node.all("r-large").size(), 21 - head->first.value);
    EXPECT_EQ(node.all("r-small").size(), 20u);
    EXPECT_EQ(node.log().seek(RoomId::trusted("r-large"), WallTime{})->value, 0u) << "the reader is told";
}

TEST(Fleet, WhatIsOlderThanTheAgeGoesInSlicesAndTheHeadStays) {
    const Settings settings = fresh_settings();
    Node node{settings};
    std::vector<std::future<Node::Answer>> answers;
    for (int n = 0; n < 1200; ++n) answers.push_back(node.send("r-1", "u", name("m-", n)));
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    Pool pool{settings};
    ManualClock later{SystemClock{}.wall() + 2h};
    LogTrimmer trimmer{{1h, {}, 1h}, later, pool};
    EXPECT_EQ(trimmer.sweep(), 1200u);
    const auto head = node.log().head(RoomId::trusted("r-1"));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->first.value, 1201u);
    EXPECT_EQ(head->head.value, 1200u);
    EXPECT_EQ(node.send("r-1", "u", "next").get()->front().seq.value, 1201u);
    const SystemClock now;
    EXPECT_EQ((LogTrimmer{{1h, {}, 1h}, now, pool}.sweep()), 0u) << "it is new";
}

}  // namespace
}  // namespace parley::postgres
