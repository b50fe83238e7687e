#include "log/records.h"

#include <gmock/gmock.h>

namespace parley::log::records {
namespace {

using testing::HasSubstr;

Draft draft() {
    Draft out;
    out.id = MessageId::trusted("m-1");
    out.sender = MemberId::trusted("u-1");
    out.nickname = "앨리스";
    out.type = MessageType::kAi;
    out.content = std::string(200, 'x') + "끝";
    out.extra = R"("receiverId":"u-9")";
    return out;
}

TEST(Records, MessageKeysSortAsRoomAndSeq) {
    EXPECT_LT(message_key({1}, {255}), message_key({1}, {256}));
    EXPECT_LT(message_key({1}, {UINT64_MAX}), message_key({2}, {0}));
    const auto back = parse_message_key(message_key({7}, {1842}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->room.value, 7u);
    EXPECT_EQ(back->seq.value, 1842u);
}

TEST(Records, DedupKeysOfDifferentMessagesDiffer) {
    const auto key = [](std::uint64_t room, const char* sender, const char* id) {
        return dedup_key({room}, MemberId::trusted(sender), MessageId::trusted(id));
    };
    EXPECT_NE(key(1, "u-1", "m"), key(2, "u-1", "m"));
    EXPECT_NE(key(1, "u-1", "2m"), key(1, "u-12", "m"));
    EXPECT_NE(key(1, "a", "b"), key(1, "b", "a"));
}

TEST(Records, AMessageComesBackUnchanged) {
    std::string record = encode_draft(draft());
    const WallTime time{milliseconds{1'700'000'000'123}};
    stamp(record, time);
    const auto back = decode_message(record, RoomId::trusted("r-1"), {9});
    ASSERT_TRUE(back);
    EXPECT_EQ(back->id, draft().id);
    EXPECT_EQ(back->sender, draft().sender);
    EXPECT_EQ(back->nickname, draft().nickname);
    EXPECT_EQ(back->type, draft().type);
    EXPECT_EQ(back->content, draft().content);
    EXPECT_EQ(back->extra, draft().extra);
    EXPECT_EQ(back->created_at, time);
    EXPECT_EQ(*decode_created_at(record), time);
}

TEST(Records, TheBytesOfFormatOneAreFixed) {
    Draft small;
    small.id = MessageId::trusted("m");
    small.sender = MemberId::trusted("u");
    small.nickname = "n";
    small.content = "hi";
    std::string record = encode_draft(small);
    stamp(record, WallTime{milliseconds{0x0102030405060708}});
    EXPECT_EQ(record, std::string("\x01\x01\x01\x02\x03\x04\x05\x06\x07\x08\x01m\x01u\x01n\x00hi", 19));
    EXPECT_EQ(encode_seen({{2}, WallTime{milliseconds{3}}}),
              std::string("\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03", 17));
    EXPECT_EQ(encode_head({{1}, {2}, {3}, {4}, WallTime{milliseconds{5}}, 6}),
              std::string("\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03"
                          "\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06",
                          49));
}

TEST(Records, EveryCutOffRecordIsAnError) {
    const std::string message = encode_draft(draft());
    for (std::size_t size = 0; size < message.size() - draft().content.size(); ++size)
        EXPECT_FALSE(decode_message(message.substr(0, size), RoomId::trusted("r-1"), {1})) << size;
    const std::string head = encode_head({});
    for (std::size_t size = 0; size < head.size(); ++size) EXPECT_FALSE(decode_head(head.substr(0, size))) << size;
    EXPECT_FALSE(decode_head(head + "x"));
    EXPECT_FALSE(decode_seen(encode_seen({}).substr(1)));
    EXPECT_FALSE(decode_store(""));
    EXPECT_FALSE(decode_name(""));
    EXPECT_FALSE(parse_message_key("short"));
}

TEST(Records, AnotherFormatIsNamedInTheError) {
    std::string record = encode_head({});
    record[0] = '\x02';
    const auto head = decode_head(record);
    ASSERT_FALSE(head);
    EXPECT_THAT(head.error().message, HasSubstr("a room head record has format 2; this program reads format 1"));
}

TEST(Records, ALengthThatNeverEndsIsAnError) {
    const std::string record = std::string("\x01\x01\0\0\0\0\0\0\0\0", 10) + std::string(20, '\xff');
    EXPECT_FALSE(decode_message(record, RoomId::trusted("r-1"), {1}));
}

}  // namespace
}  // namespace parley::log::records
