#include "base/message.h"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(Message, JsonIsTheDocumentedObject) {
    Message message;
    message.id = MessageId::trusted("0192f0c1");
    message.room = RoomId::trusted("r-42");
    message.seq = {1842};
    message.sender = MemberId::trusted("u-7");
    message.nickname = "앨리스";
    message.content = "hi";
    message.created_at = WallTime{milliseconds{1'795'178'096'789}};
    EXPECT_EQ(to_json(message),
              R"({"messageId":"0192f0c1","roomId":"r-42","seq":1842,"senderId":"u-7","senderNickname":"앨리스",)"
              R"("content":"hi","type":"TALK","createdAt":"2026-11-20T12:34:56.789Z"})");
    message.extra = R"("receiverId":"u-9")";
    EXPECT_TRUE(to_json(message).ends_with(R"(,"receiverId":"u-9"})"));
}

TEST(Message, JsonStringsEscapeWhatTheyMustAndNothingElse) {
    EXPECT_EQ(quoted(""), R"("")");
    EXPECT_EQ(quoted("한국어 🎲 / '"), R"("한국어 🎲 / '")");
    EXPECT_EQ(quoted("\"\\\n\r\t"), R"("\"\\\n\r\t")");
    EXPECT_EQ(quoted(std::string_view{"\0\x01\x1f\x7f", 4}), "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(Message, TypesHaveNamesThatComeBack) {
    for (const auto type :
         {MessageType::kTalk, MessageType::kJoin, MessageType::kLeave, MessageType::kAi, MessageType::kSystem}) {
        EXPECT_EQ(parse_message_type(name(type)), type);
    }
    EXPECT_EQ(parse_message_type("talk"), std::nullopt);
    EXPECT_EQ(parse_message_type(""), std::nullopt);
    EXPECT_EQ(parse_message_type("UNKNOWN"), std::nullopt);
}

}  // namespace
}  // namespace parley
