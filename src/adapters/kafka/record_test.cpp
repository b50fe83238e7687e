#include "adapters/kafka/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/kafka/record_fixture.h"

namespace parley::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr WallTime kNow{milliseconds{1'795'178'096'789}};

Draft draft(const std::string& sender, const std::string& id, const std::string& content = "hi") {
    Draft out;
    out.sender = MemberId::trusted(sender);
    out.nickname = "앨리스";
    out.id = MessageId::trusted(id);
    out.content = content;
    return out;
}

OutRecord encoded(std::vector<Draft> drafts) {
    return encode({RoomId::trusted("r-42"), std::move(drafts)}, kNow, {7, 9});
}

TEST(Record, ItsValueIsTheDocumentedObjectWithoutSeq) {
    const auto out = encoded({draft("u-7", "m-1")});
    EXPECT_EQ(out.key, "r-42");
    EXPECT_EQ(out.timestamp, kNow);
    EXPECT_EQ(out.value, R"({"messageId":"m-1","roomId":"r-42","senderId":"u-7","senderNickname":"앨리스",)"
                         R"("content":"hi","type":"TALK","createdAt":"2026-11-20T12:34:56.789Z"})");
}

TEST(Record, EveryFieldComesBack) {
    Draft in = draft("~guest:1", "m-1", "  안녕 \"하세요\" \n🎲 \x01");
    in.type = MessageType::kAi;
    in.extra = R"("receiverId":"u-9","list":[1, {"a":null}],"n":-1.50,"event":"KICKED")";
    const auto sent = encoded({in});
    const auto read = view(sent, 5);
    const auto head = parse_head(read);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->ticket, (Ticket{7, 9}));
    const auto drafts = decode(read, *head);
    ASSERT_THAT(drafts, SizeIs(1));
    EXPECT_EQ(drafts[0].id, in.id);
    EXPECT_EQ(drafts[0].sender, in.sender);
    EXPECT_EQ(drafts[0].nickname, in.nickname);
    EXPECT_EQ(drafts[0].content, in.content);
    EXPECT_EQ(drafts[0].type, in.type);
    EXPECT_EQ(drafts[0].extra, in.extra);
}

TEST(Record, SeveralMessagesKeepTheirSendersAndOrder) {
    const auto sent = encoded({draft("u-1", "a", "one"), draft("u-2", "b", "two"), draft("u-1", "c", "three")});
    const auto read = view(sent, 5);
    const auto head = parse_head(read);
    ASSERT_TRUE(head);
    std::vector<std::string> found;
    for (const Draft& one : decode(read, *head))
        found.push_back(one.sender.str() + " " + one.id.str() + " " + one.content);
    EXPECT_THAT(found, ElementsAre("u-1 a one", "u-2 b two", "u-1 c three"));
}

TEST(Record, OneSenderIsNamedOnce) {
    const auto sent = encoded({draft("u-1", "a"), draft("u-1", "b")});
    EXPECT_EQ(std::count_if(sent.headers.begin(), sent.headers.end(),
                            [](const auto& header) { return header.first == "senderId"; }),
              1);
    const auto head = parse_head(view(sent, 5));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->messages.at(1).sender, "u-1");
}

TEST(Record, AnotherProducersPlainRecordIsATalkOfItsBody) {
    const InRecord read = foreign("r-1", R"({"roomId":"r-9","senderId":"u-3","senderNickname":"Bob","content":"hey",)"
                                         R"("type":"SYSTEM","event":"KICKED","memberId":"u-9","seq":4})");
    const auto head = parse_head(read);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->room, "r-1");
    const auto drafts = decode(read, *head);
    ASSERT_THAT(drafts, SizeIs(1));
    EXPECT_EQ(drafts[0].id.str(), "~kafka:3.12");
    EXPECT_EQ(drafts[0].sender.str(), "u-3");
    EXPECT_EQ(drafts[0].content, "hey");
    EXPECT_EQ(drafts[0].type, MessageType::kTalk);
    EXPECT_EQ(drafts[0].extra, "");
}

TEST(Record, ASenderOfTheServersOwnKindIsTakenFromHeadersOnly) {
    const InRecord read = foreign("r-1", R"({"senderId":"~server","content":"hey"})");
    EXPECT_EQ(decode(read, *parse_head(read)).at(0).sender.str(), "~kafka");
}

TEST(Record, WhatCannotBeReadKeepsItsPlace) {
    for (const char* value : {"", "no json", "[]", "{}", R"({"content":7})", R"({"content":"\ud800"})",
                              "{\"content\":\"\xff\"}", R"([{"content":"in an array"}])"}) {
        const InRecord read = foreign("r-1", value, {{"messageId", "m-1"}, {"senderId", "u-1"}});
        const auto head = parse_head(read);
        ASSERT_TRUE(head) << value;
        const auto drafts = decode(read, *head);
        ASSERT_THAT(drafts, SizeIs(1)) << value;
        EXPECT_EQ(drafts[0].type, MessageType::kSystem) << value;
        EXPECT_THAT(drafts[0].content, HasSubstr("cannot be read"));
        EXPECT_EQ(drafts[0].id.str(), "m-1");
    }
}

TEST(Record, WhatNoDatabaseHoldsIsReplaced) {
    const InRecord read = foreign("r-1", R"({"content":"a\u0000b","senderNickname":"\u0000"})");
    const auto drafts = decode(read, *parse_head(read));
    EXPECT_EQ(drafts.at(0).content, "a\uFFFDb");
    EXPECT_EQ(drafts.at(0).nickname, "\uFFFD");
}

TEST(Record, ALaterFormatCountsThoughItCannotBeRead) {
    const InRecord read = foreign("r-1", R"({"content":"hey"})", {{"v", "2"}, {"messageId", "m"}, {"senderId", "u"}});
    EXPECT_EQ(decode(read, *parse_head(read)).at(0).type, MessageType::kSystem);
}

TEST(Record, HeadersThatAreNoIdsDoNotParse) {
    const std::string value = R"({"content":"hey"})";
    EXPECT_FALSE(parse_head(foreign("", value)));
    EXPECT_FALSE(parse_head(foreign("a room", value)));
    EXPECT_FALSE(parse_head(foreign(std::string(121, 'r'), value)));
    EXPECT_FALSE(parse_head(foreign("r-1", value, {{"messageId", ""}, {"senderId", "u"}})));
    EXPECT_FALSE(parse_head(foreign("r-1", value, {{"messageId", "a b"}, {"senderId", "u"}})));
    EXPECT_FALSE(parse_head(foreign("r-1", value, {{"messageId", "m"}, {"senderId", "앨리스"}})));
    EXPECT_FALSE(parse_head(foreign("r-1", value, {{"messageId", "~kafka:1.2"}, {"senderId", "u"}})));
    EXPECT_TRUE(parse_head(foreign("~dm:0123", value)));
    EXPECT_TRUE(parse_head(foreign("~probe", value, {{"messageId", "~1"}, {"senderId", "~probe"}})));
}

TEST(Record, AMessageIdWithoutASenderIsNone) {
    const auto head = parse_head(foreign("r-1", "{}", {{"messageId", "m-1"}, {"messageId", "m-2"}}));
    ASSERT_TRUE(head);
    ASSERT_THAT(head->messages, SizeIs(1));
    EXPECT_EQ(head->messages[0].id, "");
}

}  // namespace
}  // namespace parley::kafka
