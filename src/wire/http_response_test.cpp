#include "wire/http_response.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

std::string respond(const HttpResponseHead& head, std::string_view body = "") {
    std::string out;
    append_response(out, head, body);
    return out;
}

TEST(HttpResponse, HasStatusFieldsLengthAndBody) {
    EXPECT_EQ(respond({.status = 404, .fields = {{"Content-Type", "text/plain"}, {"X-A", "b"}}}, "nope"),
              "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: 4\r\n\r\nnope");
}

TEST(HttpResponse, IsAppendedToWhatIsThere) {
    std::string out = "before";
    append_response(out, {}, "");
    EXPECT_EQ(out, "beforeHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpResponse, SaysWhetherTheConnectionStays) {
    EXPECT_EQ(respond({}).find("Connection"), std::string::npos);
    EXPECT_NE(respond({.keep_alive = false}).find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_NE(respond({.version_minor = 0}).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
    EXPECT_NE(respond({.keep_alive = false, .version_minor = 0}).find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST(HttpResponse, HeadHasTheLengthButNoBody) {
    const std::string out = respond({.head_only = true}, "hello");
    EXPECT_NE(out.find("Content-Length: 5\r\n\r\n"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST(HttpResponse, BodylessStatusesHaveNeitherLengthNorBody) {
    for (const int status : {101, 204, 304}) {
        const std::string out = respond({.status = status}, "x");
        EXPECT_EQ(out.find("Content-Length"), std::string::npos) << status;
        EXPECT_TRUE(out.ends_with("\r\n\r\n")) << status;
    }
}

TEST(HttpResponse, UpgradeKeepsItsOwnConnectionField) {
    EXPECT_EQ(respond({.status = 101, .fields = {{"Connection", "Upgrade"}}, .keep_alive = false}),
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
}

TEST(HttpResponse, ValuesCannotEndALine) {
    const std::string out = respond({.fields = {{"Location", std::string_view{"/a\r\nSet-Cookie: x\0", 17}}}});
    EXPECT_NE(out.find("Location: /a  Set-Cookie: x"), std::string::npos);
    EXPECT_EQ(out.find('\0'), std::string::npos);
}

TEST(HttpResponse, StreamsInChunks) {
    std::string out;
    EXPECT_EQ(append_response_head(out, {}), HttpBodyFraming::kChunked);
    append_chunk(out, "0123456789abcdefg");
    append_chunk(out, "");
    append_last_chunk(out);
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
}

TEST(HttpResponse, StreamsUntilCloseToOneZero) {
    std::string out;
    EXPECT_EQ(append_response_head(out, {.version_minor = 0}), HttpBodyFraming::kUntilClose);
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(HttpResponse, AStreamWithoutBodyEndsWithItsHead) {
    std::string out;
    EXPECT_EQ(append_response_head(out, {.head_only = true}), HttpBodyFraming::kNone);
    EXPECT_EQ(append_response_head(out, {.status = 204}), HttpBodyFraming::kNone);
    EXPECT_TRUE(out.ends_with("HTTP/1.1 204 No Content\r\n\r\n"));
}

TEST(HttpResponse, DateIsAnImfFixdate) {
    const WallTime time{std::chrono::milliseconds{784'111'777'999}};
    EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_NE(respond({.date = format_http_date(time)}).find("\r\nDate: Sun, 06"), std::string::npos);
}

TEST(HttpResponse, EveryStatusTheParserGivesHasAName) {
    for (const int status : {400, 413, 414, 417, 431, 501, 505}) EXPECT_NE(reason_phrase(status), "Unknown") << status;
    EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(HttpResponse, ContinueIsOneLine) {
    std::string out;
    append_continue(out);
    EXPECT_EQ(out, "HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace
}  // namespace parley::wire
