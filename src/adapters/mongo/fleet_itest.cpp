#include "adapters/mongo/log_fixture.h"

namespace parley::mongo {
namespace {

using testing::ElementsAre;

std::string name(const char* what, int number) { return what + std::to_string(number); }

class Fleet : public testing::Test {
protected:
    /// A block as a server leaves it that stops before it raises the room's head.
    void leave_block(std::uint64_t seq, const std::string& id) {
        Draft draft;
        draft.sender = MemberId::trusted("u");
        draft.id = MessageId::trusted(id);
        draft.content = "left";
        const Block block{block_id("r-1", {seq}), {seq}, {seq}, SystemClock{}.wall(), 100, 100 * seq, "left"};
        shell(settings_, insert(collection::kMessages, {to_document(block, RoomId::trusted("r-1"), {&draft})}));
    }
    Document head_document() {
        return shell_find(settings_, find(collection::kHeads, Document{}.text("_id", "r-1"))).at(0);
    }
    std::size_t blocks() { return shell_find(settings_, find(collection::kMessages, {})).size(); }
    /// Removes everything that there is in any room.
    std::size_t trim_all() {
        Pool pool{settings_};
        const ManualClock later{SystemClock{}.wall() + 2h};
        return LogTrimmer{{1h, {}, 1h}, later, pool}.sweep().value_or(0);
    }
    const Settings settings_ = fresh_settings();
    Node node_{settings_};
};

TEST_F(Fleet, ABlockThatNobodyNotedIsInTheRoomAndItsHeadIsSetRight) {
    ASSERT_TRUE(node_.send("r-1", "u", "m-1").get());
    leave_block(2, "m-2");
    leave_block(3, "m-3");
    EXPECT_EQ(head_document().number("head"), 1u);
    EXPECT_EQ(node_.log().head(RoomId::trusted("r-1"))->head.value, 3u);
    EXPECT_EQ(head_document().number("head"), 3u);
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("m-1", "m-2", "m-3"));
}

TEST_F(Fleet, WhatAServerLeftUnansweredIsARepeatWhenItIsSentAgain) {
    ASSERT_TRUE(node_.send("r-1", "u", "m-1").get());
    leave_block(2, "m-2");
    const auto again = node_.send("r-1", "u", "m-2").get();
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->front().repeated);
    EXPECT_EQ(again->front().seq.value, 2u);
    EXPECT_EQ(node_.send("r-1", "u", "m-3").get()->front().seq.value, 3u);
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("m-1", "m-2", "m-3"));
}

TEST_F(Fleet, AnInsertThatComesAfterTheTrimmingGoesToTheEnd) {
    Node other{settings_};
    ASSERT_TRUE(node_.send("r-1", "u", "m-1").get());  // it takes the room to be at 1 from here on
    for (int n = 2; n <= 9; ++n) ASSERT_TRUE(other.send("r-1", "u", name("m-", n)).get());
    ASSERT_EQ(trim_all(), 9u);
    EXPECT_EQ(node_.send("r-1", "u", "late").get()->front().seq.value, 10u);
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("late"));
    EXPECT_EQ(blocks(), 1u);
}

TEST_F(Fleet, ABlockLeftInATrimmedPartIsNoRepeat) {
    for (int n = 1; n <= 3; ++n) ASSERT_TRUE(node_.send("r-1", "u", name("m-", n)).get());
    ASSERT_EQ(trim_all(), 3u);
    leave_block(2, "late");
    const auto stored = node_.send("r-1", "u", "late").get();
    ASSERT_TRUE(stored);
    EXPECT_FALSE(stored->front().repeated);
    EXPECT_EQ(stored->front().seq.value, 4u);
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("late"));
    EXPECT_EQ(blocks(), 1u);
}

TEST_F(Fleet, WhatATrimmerLeftIsReadByNobodyAndDeletedByTheNext) {
    for (int n = 1; n <= 3; ++n) ASSERT_TRUE(node_.send("r-1", "u", name("m-", n)).get());
    const Document raised = Document{}.document("$set", Document{}.number("first", 3));
    shell(settings_, update(collection::kHeads, {change(Document{}.text("_id", "r-1"), raised)}));
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("m-3"));
    EXPECT_EQ(blocks(), 3u);
    Pool pool{settings_};
    const SystemClock clock;
    EXPECT_EQ((LogTrimmer{{1h, {}, 1h}, clock, pool}.sweep()), 0u);
    EXPECT_EQ(blocks(), 1u);
    EXPECT_FALSE(node_.send("r-1", "u", "m-1").get()->front().repeated) << "it has been trimmed";
    EXPECT_THAT(node_.ids("r-1"), ElementsAre("m-3", "m-1"));
}

TEST_F(Fleet, TheOldestGoAboveTheSizeAndTheOthersStay) {
    for (int n = 1; n <= 40; ++n)
        ASSERT_TRUE(
            node_.send(n % 2 != 0 ? "r-large" : "r-small", "u", name("m-", n), n % 2 != 0 ? std::string(900, 'x') : "x")
                .get());
    Pool pool{settings_};
    const SystemClock clock;
    LogTrimmer trimmer{{{}, Bytes{10 * 1000}, 1h, {}}, clock, pool};
    while (trimmer.sweep().value_or(1) != 0) {
    }
    const auto head = node_.log().head(RoomId::trusted("r-large"));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->head.value, 20u);
    EXPECT_GT(head->first.value, 8u);
    EXPECT_LT(head->first.value, 14u);
    EXPECT_EQ(node_.all("r-large").size(), 21 - head->first.value);
    EXPECT_EQ(node_.all("r-small").size(), 20u);
    EXPECT_EQ(node_.log().seek(RoomId::trusted("r-large"), WallTime{})->value, 0u) << "the reader is told";
}

TEST_F(Fleet, WhatIsYoungStaysWhateverTheSize) {
    ASSERT_TRUE(node_.send("r-1", "u", "m-1", std::string(900, 'x')).get());
    Pool pool{settings_};
    const SystemClock clock;
    EXPECT_EQ((LogTrimmer{{{}, 1_B, 1h}, clock, pool}.sweep()), 0u);
    EXPECT_EQ(node_.all("r-1").size(), 1u);
}

TEST_F(Fleet, WhatIsOlderThanTheAgeGoesAndTheHeadStays) {
    std::vector<std::future<Node::Answer>> answers;
    for (int n = 0; n < 1200; ++n) answers.push_back(node_.send("r-1", "u", name("m-", n)));
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    EXPECT_EQ(trim_all(), 1200u);
    const auto head = node_.log().head(RoomId::trusted("r-1"));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->first.value, 1201u);
    EXPECT_EQ(head->head.value, 1200u);
    EXPECT_TRUE(node_.all("r-1").empty());
    EXPECT_EQ(Node{settings_}.send("r-1", "u", "next").get()->front().seq.value, 1201u) << "by a server that starts";
    EXPECT_EQ(blocks(), 1u);
}

TEST_F(Fleet, HundredsOfRoomsAreStoredTogether) {
    std::vector<std::future<Node::Answer>> answers;
    std::vector<RoomId> rooms;
    for (int n = 0; n < 500; ++n) {
        rooms.push_back(RoomId::trusted(name("r-", n)));
        answers.push_back(node_.send(rooms.back().str(), "u", "m-1"));
    }
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
    EXPECT_LT(node_.log().stats().commits, 20u);
    const auto heads = Node{settings_}.log().heads(rooms);
    ASSERT_TRUE(heads);
    for (const auto& head : *heads) EXPECT_EQ(head.head.value, 1u);
}

TEST_F(Fleet, PagesBeginAndEndInTheMiddleOfABlock) {
    std::vector<Draft> drafts(60);
    for (int n = 0; n < 60; ++n) {
        drafts[n].sender = MemberId::trusted("u");
        drafts[n].id = MessageId::trusted(name("m-", n + 1));
    }
    std::promise<void> stored;
    node_.log().append({RoomId::trusted("r-1"), std::move(drafts)}, [&](const Node::Answer&) { stored.set_value(); });
    stored.get_future().wait();
    ASSERT_TRUE(node_.send("r-1", "u", "m-61").get());
    ASSERT_EQ(blocks(), 2u);
    const auto seqs = [](const Result<log::Page>& page) {
        std::vector<std::uint64_t> out;
        for (const auto& message : page->messages) out.push_back(message->seq.value);
        return out;
    };
    const RoomId room = RoomId::trusted("r-1");
    EXPECT_THAT(seqs(node_.log().read(room, {30}, 3, 1_MiB)), ElementsAre(31, 32, 33));
    EXPECT_THAT(seqs(node_.log().read(room, {58}, 5, 1_MiB)), ElementsAre(59, 60, 61));
    EXPECT_THAT(seqs(node_.log().read_before(room, {31}, 3, 1_MiB)), ElementsAre(28, 29, 30));
    EXPECT_THAT(seqs(node_.log().read_before(room, {62}, 3, 1_MiB)), ElementsAre(59, 60, 61));
    EXPECT_THAT(seqs(node_.log().read_before(room, {3}, 5, 1_MiB)), ElementsAre(1, 2));
}

}  // namespace
}  // namespace parley::mongo
