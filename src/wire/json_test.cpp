#include "wire/json.h"

#include <gtest/gtest.h>

#include <thread>

namespace parley::wire {
namespace {

std::string chat_error(std::string_view json, ChatFields wanted = kAllChatFields) {
    const auto body = parse_chat_body(json, wanted);
    if (body) return "";
    EXPECT_EQ(body.error().code, Code::kInvalidPayload);
    return body.error().message;
}

TEST(ChatBody, HasWhatTheObjectHas) {
    const auto body = parse_chat_body(
        R"({"type":"TALK","roomId":"r-1","content":"\uc548녕 \"\ud83d\ude00\"","messageId":"m","sender":"s","seq":18446744073709551615})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->type, "TALK");
    EXPECT_EQ(body->room_id, "r-1");
    EXPECT_EQ(body->content, "안녕 \"😀\"");
    EXPECT_EQ(body->message_id, "m");
    EXPECT_EQ(body->sender, "s");
    EXPECT_EQ(body->seq, UINT64_MAX);
}

TEST(ChatBody, MissingAndNullFieldsAreAbsent) {
    const auto body = parse_chat_body(R"({"roomId":null})");
    ASSERT_TRUE(body);
    EXPECT_FALSE(body->room_id);
    EXPECT_FALSE(body->content);
}

TEST(ChatBody, IgnoresUnknownFields) {
    EXPECT_EQ(parse_chat_body(R"({"senderId":7,"x":{"type":[1]},"type":"JOIN"})")->type, "JOIN");
}

TEST(ChatBody, ReadsEscapedKeys) { EXPECT_EQ(parse_chat_body(R"({"t\u0079pe":"TALK"})")->type, "TALK"); }

TEST(ChatBody, IgnoresFieldsThatAreNotWanted) {
    const auto body = parse_chat_body(R"({"sender":7,"seq":"x","content":"c"})", {ChatField::kContent});
    ASSERT_TRUE(body);
    EXPECT_EQ(body->content, "c");
    EXPECT_FALSE(body->sender);
}

TEST(ChatBody, NamesTheFieldOfTheWrongType) {
    EXPECT_EQ(chat_error(R"({"roomId":7})"), "roomId is not a string");
    EXPECT_EQ(chat_error(R"({"content":["a"]})"), "content is not a string");
    EXPECT_EQ(chat_error(R"({"type":{}})"), "type is not a string");
    EXPECT_EQ(chat_error(R"({"messageId":true})"), "messageId is not a string");
    EXPECT_EQ(chat_error(R"({"sender":1.5})"), "sender is not a string");
    for (const char* seq : {"\"1\"", "-1", "1.0", "1e3", "[]", "true"}) {
        EXPECT_NE(chat_error(R"({"seq":)" + std::string{seq} + "}").find("seq is not"), std::string::npos) << seq;
    }
}

TEST(ChatBody, FirstOfARepeatedKeyWins) {
    EXPECT_EQ(parse_chat_body(R"({"type":"A","type":"B"})")->type, "A");
    EXPECT_FALSE(parse_chat_body(R"({"type":null,"type":"B"})")->type);
    EXPECT_EQ(parse_chat_body(R"({"seq":1,"seq":"x"})")->seq, 1U);
}

TEST(ChatBody, MustBeAnObject) {
    for (const char* json : {"[]", "\"a\"", "1", "null", "true"})
        EXPECT_EQ(chat_error(json), "the body is not a JSON object");
}

TEST(ChatBody, MustBeValidJson) {
    for (const char* json : {"", " ", "{", "{}x", "{} {}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":\"\t\"}",
                             "{\"a\"}", "{\"a\":NaN}", "{\"x\":\"\\q\"}", "// c\n{}"}) {
        EXPECT_EQ(chat_error(json), "the body is not valid JSON") << json;
    }
}

TEST(ChatBody, MustBeUtf8) {
    EXPECT_NE(chat_error("{\"content\":\"\xff\"}"), "");
    EXPECT_NE(chat_error("{\"content\":\"\xED\xA0\x80\"}"), "");
    EXPECT_NE(chat_error("{\"x\":\"\xC0\x80\"}"), "");
}

TEST(ChatBody, HalfASurrogatePairIsRefused) {
    for (const char* text :
         {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\uDBFFx)", R"(\ud800\n)", R"(\ud800\u0041)"}) {
        EXPECT_NE(chat_error(R"({"content":")" + std::string{text} + "\"}"), "") << text;
    }
    EXPECT_EQ(chat_error(R"({"content":"\\ud800"})"), "");
}

TEST(ChatBody, DepthIsLimited) {
    const auto nested = [](std::size_t levels) {
        return "{\"x\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
    };
    EXPECT_EQ(chat_error(nested(20)), "");
    EXPECT_NE(chat_error(nested(40)), "");
    EXPECT_NE(chat_error(nested(200'000)), "") << "and so in a large document";
}

TEST(ChatBody, LargeAndSmallTakeTurns) {
    const std::string large(600'000, 'x');
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(parse_chat_body(R"({"content":")" + large + "\"}")->content->size(), large.size());
        EXPECT_EQ(parse_chat_body(R"({"content":"small"})")->content, "small");
    }
}

TEST(ChatBody, EveryThreadHasItsOwnParser) {
    const auto work = [] {
        for (int i = 0; i < 200; ++i) {
            const std::string text = std::to_string(i);
            ASSERT_EQ(parse_chat_body(R"({"content":")" + text + "\"}")->content, text);
        }
    };
    std::jthread other{work};
    work();
}

TEST(JsonFields, GiveTheNamedMembers) {
    const auto fields =
        JsonFields::parse(R"({"name":"방","n":-5,"b":true,"other":[1],"nil":null})", {"name", "n", "b", "nil"});
    ASSERT_TRUE(fields);
    EXPECT_EQ(**fields->text("name"), "방");
    EXPECT_EQ(**fields->integer("n"), -5);
    EXPECT_EQ(**fields->flag("b"), true);
    EXPECT_FALSE(fields->text("nil")->has_value());
    EXPECT_FALSE(fields->text("none")->has_value());
    EXPECT_TRUE(fields->has("n"));
    EXPECT_FALSE(fields->has("other"));
}

TEST(JsonFields, NameTheMemberOfTheWrongType) {
    const auto fields = JsonFields::parse(R"({"name":1,"n":"x","b":0})", {"name", "n", "b"});
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->text("name").error().message, "name is not a string");
    EXPECT_EQ(fields->integer("n").error().message, "n is not a whole number");
    EXPECT_EQ(fields->flag("b").error().message, "b is not true or false");
    for (const char* value : {"[]", "{}", "1.5"}) {
        const auto refused = JsonFields::parse(R"({"name":)" + std::string{value} + "}", {"name"});
        ASSERT_FALSE(refused) << value;
        EXPECT_EQ(refused.error().message.substr(0, 4), "name");
    }
}

TEST(JsonFields, FirstOfARepeatedKeyWins) {
    EXPECT_EQ(**JsonFields::parse(R"({"a":"1","a":"2"})", {"a"})->text("a"), "1");
    EXPECT_FALSE(JsonFields::parse(R"({"a":null,"a":"2"})", {"a"})->has("a"));
}

TEST(JsonFields, RefuseWhatIsNoObject) {
    for (const char* json : {"", "[]", "{", "x", R"({"a":"\ud800"})"})
        EXPECT_FALSE(JsonFields::parse(json, {"a"})) << json;
}

TEST(HasText, IsFalseForUnicodeWhiteSpaceAlone) {
    for (const char* text : {"", " ", "\t\n\v\f\r", "\u0085", "\u00A0", "\u1680", "\u2000\u200A", "\u2028\u2029",
                             "\u202F", "\u205F", "\u3000", " \u3000\n"}) {
        EXPECT_FALSE(has_text(text)) << text;
    }
}

TEST(HasText, IsTrueForAnyOtherCharacter) {
    for (const char* text : {"a", "\u200B", "\uFEFF", "\u180E", "\u2007x", "\u3001", "\u1681", "\u200C", "\u00A1",
                             "\u0086", "안", "\u3000😀", "\x1c"}) {
        EXPECT_TRUE(has_text(text)) << text;
    }
    EXPECT_TRUE(has_text(std::string_view{"\0", 1}));
}

TEST(HasNul, FindsItAnywhere) {
    EXPECT_TRUE(has_nul(*parse_chat_body(R"({"content":"a\u0000b"})")->content));
    EXPECT_FALSE(has_nul("ab"));
}

}  // namespace
}  // namespace parley::wire
