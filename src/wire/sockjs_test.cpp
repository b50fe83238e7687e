#include "wire/sockjs.h"

#include <gtest/gtest.h>

#include <array>

namespace parley::wire {
namespace {

using Strings = std::vector<std::string>;

std::string escaped_text(std::string_view text) {
    std::string out;
    append_sockjs_string(out, text);
    return out;
}
std::string http_error(std::string_view payload) {
    const auto messages = parse_sockjs_messages(payload, SockJsSource::kHttp);
    return messages ? "" : messages.error().message;
}
std::string websocket_error(std::string_view payload) {
    const auto messages = parse_sockjs_messages(payload, SockJsSource::kWebSocket);
    return messages ? "" : messages.error().message;
}
/// UTF-8 of a character of the basic plane from U+0800 on.
std::string utf8(unsigned c) {
    return {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
}

TEST(SockJsPayload, XhrSendTakesAnArrayOfStrings) {
    EXPECT_EQ(*parse_sockjs_messages(R"(["a","\uc548\n"])", SockJsSource::kHttp), (Strings{"a", "안\n"}));
    EXPECT_EQ(*parse_sockjs_messages(" [ ] ", SockJsSource::kHttp), Strings{});
}

TEST(SockJsPayload, XhrSendSaysPayloadExpected) {
    for (const char* payload : {"", "{}", "null", "0", "true", "\"a\""}) {
        EXPECT_EQ(http_error(payload), "Payload expected.") << payload;
    }
}

TEST(SockJsPayload, XhrSendSaysBrokenJson) {
    for (const char* payload :
         {"[\"x", "[", "x", "[\"a\",]", "[\"a\"]x", "[\"\\x\"]", "[\"\n\"]", "[1]", "[\"\xff\"]"}) {
        EXPECT_EQ(http_error(payload), "Broken JSON encoding.") << payload;
    }
}

TEST(SockJsPayload, WebSocketTakesAStringToo) {
    EXPECT_EQ(*parse_sockjs_messages("\"a\"", SockJsSource::kWebSocket), Strings{"a"});
    EXPECT_EQ(*parse_sockjs_messages("[\"a\",\"\"]", SockJsSource::kWebSocket), (Strings{"a", ""}));
}

TEST(SockJsPayload, WebSocketIgnoresEmptyFrames) {
    EXPECT_EQ(*parse_sockjs_messages("", SockJsSource::kWebSocket), Strings{});
}

TEST(SockJsPayload, WebSocketSaysBrokenFraming) {
    for (const char* payload : {"[\"x", "{}", "7", "[null]"}) {
        EXPECT_EQ(websocket_error(payload), "Broken framing.") << payload;
    }
}

TEST(SockJsPayload, SurrogatePairsJoinAndHalvesBecomeReplacementCharacters) {
    EXPECT_EQ(parse_sockjs_messages(R"(["\ud83d\uDE00"])", SockJsSource::kHttp)->at(0), "😀");
    EXPECT_EQ(parse_sockjs_messages(R"(["a\ud83d"])", SockJsSource::kHttp)->at(0), "a\xEF\xBF\xBD");
    EXPECT_EQ(parse_sockjs_messages(R"(["\ude00\ud83dx\ud83d\ud83d\ude00"])", SockJsSource::kHttp)->at(0),
              "\xEF\xBF\xBD\xEF\xBF\xBDx\xEF\xBF\xBD😀");
    EXPECT_EQ(parse_sockjs_messages(R"(["\\ud83d"])", SockJsSource::kHttp)->at(0), "\\ud83d");
}

TEST(SockJsPayload, DeepNestingIsRefused) { EXPECT_EQ(http_error(std::string(100'000, '[')), "Broken JSON encoding."); }

TEST(SockJsString, EscapesAsJsonStringify) {
    EXPECT_EQ(escaped_text("a\"\\\b\f\n\r\t/"), R"("a\"\\\b\f\n\r\t/")");
    EXPECT_EQ(escaped_text(std::string_view{"\0\x1f\x7f", 3}), "\"\\u0000\\u001f\x7f\"");
}

TEST(SockJsString, EscapesExactlyTheServersRanges) {
    for (unsigned c = 0x800; c <= 0xFFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        const bool escaped =
            (c >= 0x200C && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) || (c >= 0x2060 && c <= 0x206F) || c >= 0xFFF0;
        std::array<char, 9> unit{};
        std::snprintf(unit.data(), unit.size(), "\\u%04x", c);
        ASSERT_EQ(escaped_text(utf8(c)), '"' + (escaped ? std::string{unit.data()} : utf8(c)) + '"') << std::hex << c;
    }
}

TEST(SockJsString, EscapesSurrogatesOfHigherPlanes) {
    EXPECT_EQ(escaped_text("😀"), R"("\ud83d\ude00")");
    EXPECT_EQ(escaped_text("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), R"("\ud800\udc00\udbff\udfff")");
}

TEST(SockJsString, FindsWhatToEscapeAtEveryOffset) {
    for (std::size_t before = 0; before < 100; ++before) {
        for (std::size_t after = 0; after < 70; after += 23) {
            const std::string head(before, 'x');
            const std::string tail(after, 'y');
            ASSERT_EQ(escaped_text(head + "\n" + tail), '"' + head + "\\n" + tail + '"');
            ASSERT_EQ(escaped_text(head + "😀" + tail), '"' + head + "\\ud83d\\ude00" + tail + '"');
        }
    }
}

TEST(SockJsString, LeavesKoreanAlone) {
    EXPECT_EQ(escaped_text("안녕하세요, 주사위 20!"), "\"안녕하세요, 주사위 20!\"");
}

TEST(SockJsFrame, ArraysHoldEveryMessage) {
    std::string out;
    append_sockjs_array(out, std::array<std::string_view, 2>{"a", "b\n"});
    EXPECT_EQ(out, R"(a["a","b\n"])");
}

TEST(SockJsFrame, CloseHasCodeAndReason) {
    EXPECT_EQ(sockjs_close_frame(3000, "Go away!"), R"(c[3000,"Go away!"])");
    EXPECT_EQ(sockjs_close_frame(2010, "Another connection still open"), R"(c[2010,"Another connection still open"])");
}

TEST(SockJsFrame, PreludeIs2048HAndALineFeed) { EXPECT_EQ(sockjs_prelude(), std::string(2048, 'h') + "\n"); }

TEST(SockJsInfo, IsTheDocumentedObject) {
    EXPECT_EQ(sockjs_info(true, false, 4294967295U),
              R"({"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":4294967295})");
}

TEST(SockJsPath, NamesTheServicesOwnPages) {
    EXPECT_EQ(parse_sockjs_path("")->resource, SockJsResource::kGreeting);
    EXPECT_EQ(parse_sockjs_path("/")->resource, SockJsResource::kGreeting);
    EXPECT_EQ(parse_sockjs_path("/info")->resource, SockJsResource::kInfo);
    EXPECT_EQ(parse_sockjs_path("/websocket")->resource, SockJsResource::kRawWebSocket);
    for (const char* rest : {"/iframe.html", "/iframe-a.html", "/iframe-.html", "/iframe-0.1.2abc-dirty.2144.html"}) {
        EXPECT_EQ(parse_sockjs_path(rest)->resource, SockJsResource::kIframe) << rest;
    }
}

TEST(SockJsPath, NamesASessionAndItsTransport) {
    const auto path = parse_sockjs_path("/000/ab_-%20c/xhr_send");
    ASSERT_TRUE(path);
    EXPECT_EQ(path->resource, SockJsResource::kSession);
    EXPECT_EQ(path->server, "000");
    EXPECT_EQ(path->session, "ab_-%20c");
    EXPECT_EQ(path->transport, SockJsTransport::kXhrSend);
    EXPECT_EQ(parse_sockjs_path("/a/b/websocket/")->transport, SockJsTransport::kWebSocket);
    EXPECT_EQ(parse_sockjs_path("/a/b/xhr")->transport, SockJsTransport::kXhr);
    EXPECT_EQ(parse_sockjs_path("/a/b/xhr_streaming")->transport, SockJsTransport::kXhrStreaming);
}

TEST(SockJsPath, EverythingElseIsUnknown) {
    for (const char* rest : {"x",
                             "/a",
                             "/a.html",
                             "//",
                             "///",
                             "/a/a",
                             "/a/a/",
                             "//xhr",
                             "/a./a/xhr",
                             "/a/a./xhr",
                             "/./../xhr",
                             "///xhr",
                             "//a/xhr",
                             "/a//xhr",
                             "/a/b/c/xhr",
                             "/a/b/xhr//",
                             "/a/b/XHR",
                             "/a/b/",
                             "/iframe.htm",
                             "/iframe",
                             "/IFRAME.HTML",
                             "/iframe.HTML",
                             "/iframe-/.html",
                             "/iframe-A.html"}) {
        EXPECT_FALSE(parse_sockjs_path(rest)) << rest;
    }
}

TEST(SockJsPath, AnEscapeHidesNothing) {
    for (const char* part : {"%2e", "a%2E%2e", "%2f", "%00", "%0a", "%7f", "%", "%2", "%zz", "a%2"}) {
        EXPECT_FALSE(parse_sockjs_path("/0/" + std::string{part} + "/xhr")) << part;
        EXPECT_FALSE(parse_sockjs_path('/' + std::string{part} + "/0/xhr")) << part;
    }
    EXPECT_TRUE(parse_sockjs_path("/0/%ED%95%9C%20/xhr"));
}

TEST(SockJsPath, PartsAreBounded) {
    EXPECT_TRUE(parse_sockjs_path("/0/" + std::string(128, 'a') + "/xhr"));
    EXPECT_FALSE(parse_sockjs_path("/0/" + std::string(129, 'a') + "/xhr"));
}

}  // namespace
}  // namespace parley::wire
