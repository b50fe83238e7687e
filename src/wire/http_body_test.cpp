#include <gtest/gtest.h>

#include "wire/http_test_support.h"

namespace parley::wire {
namespace {

HttpOutcome parse(std::string_view stream, HttpLimits limits = {}) {
    HttpOutcome whole = read_request(stream, stream.size() + 1, limits);
    const HttpOutcome bytewise = read_request(stream, 1, limits);
    EXPECT_EQ(whole.step, bytewise.step) << stream;
    EXPECT_EQ(whole.status, bytewise.status) << stream;
    EXPECT_EQ(whole.consumed, bytewise.consumed) << stream;
    EXPECT_EQ(whole.request.body, bytewise.request.body);
    return whole;
}

/// A POST with these fields, followed by `body`.
HttpOutcome post(std::string_view fields, std::string_view body, HttpLimits limits = {}) {
    return parse("POST / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n\r\n" + std::string{body}, limits);
}
HttpOutcome chunked(std::string_view body, HttpLimits limits = {}) {
    return post("Transfer-Encoding: chunked", body, limits);
}

TEST(HttpContentLength, TakesThatManyBytes) {
    const auto out = post("Content-Length: 005", "helloGET");
    EXPECT_EQ(out.request.body, "hello");
    EXPECT_EQ(out.step, HttpStep::kDone);
}

TEST(HttpContentLength, ZeroIsABodylessRequest) {
    const auto out = post("Content-Length: 0", "x");
    EXPECT_EQ(out.step, HttpStep::kDone);
    EXPECT_EQ(out.request.body, "");
}

TEST(HttpContentLength, WaitsForTheWholeBody) {
    EXPECT_EQ(post("Content-Length: 5", "hell").step, HttpStep::kNeedMore);
}

TEST(HttpContentLength, TwiceIsRefusedEvenWhenEqual) {
    EXPECT_EQ(post("Content-Length: 1\r\nContent-Length: 1", "x").status, 400);
    EXPECT_EQ(post("Content-Length: 1\r\ncontent-length: 2", "x").status, 400);
    EXPECT_EQ(post("Content-Length: 1, 1", "x").status, 400);
}

TEST(HttpContentLength, AnythingButDigitsIsRefused) {
    for (const char* value : {"", "+1", "-1", "0x1", "1 1", "1.0", "a", "1;", "\"1\"", "\xEF\xBC\x91"}) {
        EXPECT_EQ(post("Content-Length: " + std::string{value}, "x").status, 400) << value;
    }
}

TEST(HttpContentLength, OverflowIsRefusedAndNeverWraps) {
    EXPECT_EQ(post("Content-Length: 18446744073709551616", "").status, 400);
    EXPECT_EQ(post("Content-Length: 99999999999999999999999", "").status, 400);
    EXPECT_EQ(post("Content-Length: 18446744073709551615", "").status, 413);
}

TEST(HttpFraming, LengthWithTransferEncodingIsRefused) {
    EXPECT_EQ(post("Content-Length: 1\r\nTransfer-Encoding: chunked", "0\r\n\r\n").status, 400);
    EXPECT_EQ(post("Transfer-Encoding: chunked\r\nContent-Length: 1", "0\r\n\r\n").status, 400);
}

TEST(HttpFraming, UnknownCodingsAre501) {
    EXPECT_EQ(post("Transfer-Encoding: gzip, chunked", "").status, 501);
    EXPECT_EQ(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "").status, 501);
    EXPECT_EQ(post("Transfer-Encoding: identity", "").status, 501);
    EXPECT_EQ(post("Transfer-Encoding: x;q=\"a, b\", chunked", "").status, 501);
}

TEST(HttpFraming, ChunkedMustComeLastAndOnce) {
    EXPECT_EQ(post("Transfer-Encoding: chunked, gzip", "").status, 400);
    EXPECT_EQ(post("Transfer-Encoding: chunked, chunked", "").status, 400);
    EXPECT_EQ(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "").status, 400);
    EXPECT_EQ(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "").status, 400);
}

TEST(HttpFraming, MalformedTransferEncodingIsRefused) {
    for (const char* value : {"", ",", "chunked;x=y", "chunked x", "\"chunked\"", "chu nked", "=", "xchunked\x80"}) {
        EXPECT_EQ(post("Transfer-Encoding: " + std::string{value}, "0\r\n\r\n").status, 400) << value;
    }
    EXPECT_EQ(post("Transfer-Encoding: , Chunked ,", "0\r\n\r\n").status, 0) << "empty list elements are ignored";
}

TEST(HttpFraming, TransferEncodingInOneZeroIsRefused) {
    EXPECT_EQ(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
}

TEST(HttpFraming, AGetMayHaveABody) {
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").request.body, "hi");
}

TEST(HttpChunked, JoinsTheChunks) {
    const auto out = chunked("5\r\nhello\r\n00A\r\n, world..!\r\n0\r\n\r\nGET");
    EXPECT_EQ(out.request.body, "hello, world..!");
    EXPECT_EQ(out.step, HttpStep::kDone);
}

TEST(HttpChunked, LeavesWhatFollowsUnread) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(parse(head + "1\r\nx\r\n0\r\n\r\nGET /").consumed, head.size() + 11);
}

TEST(HttpChunked, ExtensionsAreCheckedAndDropped) {
    EXPECT_EQ(chunked("1;a\r\nx\r\n0;b=c ; d=\"e;\\\"f\"\r\n\r\n").request.body, "x");
    for (const char* line : {"1;", "1;=b", "1;a=", "1;a=\"b", "1 ", "1 a", "1;a b", "1;a=b c", "1;;a"}) {
        EXPECT_EQ(chunked(std::string{line} + "\r\nx\r\n0\r\n\r\n").status, 400) << line;
    }
}

TEST(HttpChunked, ExtensionsAreBounded) {
    EXPECT_EQ(chunked("1;" + std::string(5000, 'a')).status, 400);
    std::string body;
    for (int i = 0; i < 9; ++i) body += "1;" + std::string(2000, 'a') + "\r\nx\r\n";
    EXPECT_EQ(chunked(body + "0\r\n\r\n").status, 400) << "all chunks together";
}

TEST(HttpChunked, BadSizesAreRefused) {
    for (const char* line : {"", "x", "-1", "+1", "0x1", " 1", "1g", "\t1", ";a"}) {
        EXPECT_EQ(chunked(std::string{line} + "\r\nx\r\n0\r\n\r\n").status, 400) << line;
    }
    EXPECT_EQ(chunked("10000000000000000\r\n").status, 400) << "overflow";
    EXPECT_EQ(chunked("ffffffffffffffff\r\n").status, 413);
    EXPECT_EQ(chunked("1\nx\r\n0\r\n\r\n").status, 400);
}

TEST(HttpChunked, DataMustEndWhereItsSizeSays) {
    EXPECT_EQ(chunked("1\r\nxy\r\n0\r\n\r\n").status, 400);
    EXPECT_EQ(chunked("1\r\nx\n0\r\n\r\n").status, 400);
    EXPECT_EQ(chunked("3\r\nx\r\n0\r\n\r\n").status, 400);
}

TEST(HttpChunked, TrailersAreCheckedAndDropped) {
    const auto out = chunked("0\r\nHost: evil\r\nX: y\r\n\r\n");
    EXPECT_EQ(out.step, HttpStep::kDone);
    EXPECT_EQ(out.request.host, "a");
    EXPECT_FALSE(out.request.headers.find("x"));
    EXPECT_EQ(chunked("0\r\nno colon\r\n\r\n").status, 400);
    EXPECT_EQ(chunked("0\r\nX: a\r\n b\r\n\r\n").status, 400);
    EXPECT_EQ(chunked("0\r\nX: a\n\r\n").status, 400);
}

TEST(HttpChunked, TrailersHaveTheHeadsLimits) {
    EXPECT_EQ(chunked("0\r\nX: " + std::string(17 * 1024, 'a')).status, 431);
    std::string many = "0\r\n";
    for (int i = 0; i < 101; ++i) many += "A: b\r\n";
    EXPECT_EQ(chunked(many).status, 431);
}

TEST(HttpBodyLimit, MoreIs413) {
    const HttpLimits four{.body = 4_B};
    EXPECT_EQ(post("Content-Length: 4", "abcd", four).status, 0);
    EXPECT_EQ(post("Content-Length: 5", "", four).status, 413);
    EXPECT_EQ(chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", four).status, 0);
    EXPECT_EQ(chunked("2\r\nab\r\n3\r\n", four).status, 413) << "refused at the size, before the data";
}

TEST(HttpBodyLimit, MayBeSetForOneRequestAfterItsHead) {
    HttpRequestParser parser{HttpLimits{.body = 1_B}};
    const std::string request = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    const auto head = parser.feed(request);
    ASSERT_EQ(head.step, HttpStep::kHead);
    EXPECT_EQ(parser.request().path, "/up");
    parser.set_body_limit(3_B);
    EXPECT_EQ(parser.feed(std::string_view{request}.substr(head.consumed)).step, HttpStep::kDone);
    parser.reset();
    EXPECT_EQ(parser.feed(request).step, HttpStep::kHead);
    EXPECT_EQ(parser.feed("abc").step, HttpStep::kFault) << "the default is back";
}

}  // namespace
}  // namespace parley::wire
