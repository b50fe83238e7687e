#include "adapters/mongo/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/mongo/blocks.h"

namespace parley::mongo {
namespace {

using testing::ElementsAre;
using namespace std::literals;

TEST(Document, GivesBackWhatWasPutIn) {
    const Document inner = Document{}.text("t", "안녕\0🎲"s);
    Document out;
    out.number("n", 1ull << 60).flag("f", true).time("d", WallTime{milliseconds{1'700'000'000'123}});
    out.document("in", inner).texts("list", {"a", "b"}).documents("many", {inner, {}});
    EXPECT_EQ(out.number("n"), 1ull << 60);
    EXPECT_TRUE(out.flag("f"));
    EXPECT_EQ(out.time("d"), WallTime{milliseconds{1'700'000'000'123}});
    EXPECT_EQ(out.document("in").text("t"), "안녕\0🎲"s);
    EXPECT_THAT(out.texts("list"), ElementsAre("a", "b"));
    ASSERT_EQ(out.documents("many").size(), 2u);
    EXPECT_FALSE(out.holds_bad_text());
}

TEST(Document, AFieldOfAnotherTypeOrNoneIsEmpty) {
    const Document out = Document{}.text("t", "x").integer("below", -5);
    EXPECT_EQ(out.number("t"), 0u);
    EXPECT_EQ(out.number("below"), 0u);
    EXPECT_EQ(out.text("none"), "");
    EXPECT_TRUE(out.documents("t").empty());
    EXPECT_TRUE(out.document("t").text("x").empty());
    EXPECT_EQ(out.time("t"), WallTime{});
    EXPECT_FALSE(out.has("none"));
}

TEST(Document, NumbersStopAtTheLargestThatItHolds) {
    EXPECT_EQ(Document{}.number("n", UINT64_MAX).number("n"), static_cast<std::uint64_t>(INT64_MAX));
}

TEST(Document, TextThatIsNotUtf8IsNoticedHoweverDeep) {
    const Document bad = Document{}.text("t", "\xff");
    EXPECT_TRUE(bad.holds_bad_text());
    EXPECT_TRUE(Document{}.document("d", bad).holds_bad_text());
    EXPECT_TRUE(Document{}.documents("d", {{}, bad}).holds_bad_text());
    EXPECT_TRUE(Document{}.texts("t", {"fine", "\xff"}).holds_bad_text());
    Document copy;
    copy = bad;
    EXPECT_TRUE(copy.holds_bad_text());
}

TEST(Blocks, IdsAreOrderedAsSeqsAreAndApartBetweenRooms) {
    EXPECT_LT(block_id("r", {9}), block_id("r", {10}));
    EXPECT_LT(block_id("r", {999'999}), block_id("r", {1'000'000}));
    const Document range = blocks_between("r", {0}, {UINT64_MAX}).document("_id");
    for (const char* other : {"r-1", "r1", "q", "r.2"}) {
        EXPECT_TRUE(block_id(other, {5}) < range.text("$gte") || block_id(other, {5}) >= range.text("$lt")) << other;
    }
    EXPECT_EQ(room_of(block_id("r-1", {5})), "r-1");
}

TEST(Blocks, MessagesComeBackUnchanged) {
    Draft draft;
    draft.sender = MemberId::trusted("u-1");
    draft.id = MessageId::trusted("m-1");
    draft.nickname = "앨리스";
    draft.content = "hello";
    draft.extra = R"("receiverId":"u-9")";
    draft.type = MessageType::kAi;
    const RoomId room = RoomId::trusted("r-1");
    const Block block{block_id("r-1", {7}), {7}, {8}, WallTime{milliseconds{5}}, 10, 20, "nonce"};
    const Document document = to_document(block, room, {&draft, &draft});
    const Block again = read_block(document);
    EXPECT_EQ(again.id, block.id);
    EXPECT_EQ(again.last.value, 8u);
    EXPECT_EQ(again.total, 20u);
    EXPECT_EQ(again.nonce, "nonce");
    const auto messages = read_messages(document, room);
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[1]->seq.value, 8u);
    EXPECT_EQ(messages[1]->created_at, block.created_at);
    EXPECT_EQ(messages[0]->content, draft.content);
    EXPECT_EQ(messages[0]->extra, draft.extra);
    EXPECT_EQ(messages[0]->type, draft.type);
    EXPECT_EQ(messages[0]->nickname, draft.nickname);
}

}  // namespace
}  // namespace parley::mongo
