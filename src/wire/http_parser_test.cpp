#include "wire/http_parser.h"

#include <gtest/gtest.h>

#include "wire/http_test_support.h"

namespace parley::wire {
namespace {

/// Whole and byte by byte must agree; gives what both say.
HttpOutcome parse(std::string_view stream, HttpLimits limits = {}) {
    HttpOutcome whole = read_request(stream, stream.size() + 1, limits);
    const HttpOutcome bytewise = read_request(stream, 1, limits);
    EXPECT_EQ(whole.step, bytewise.step) << stream;
    EXPECT_EQ(whole.status, bytewise.status) << stream;
    EXPECT_EQ(whole.consumed, bytewise.consumed) << stream;
    return whole;
}

HttpRequest accepted(std::string_view stream) {
    HttpOutcome out = parse(stream);
    EXPECT_EQ(out.step, HttpStep::kDone) << stream;
    return std::move(out.request);
}

int refusal(std::string_view stream, HttpLimits limits = {}) { return parse(stream, limits).status; }
/// The status of `line` before a good Host field.
int line_refusal(std::string_view line) { return refusal(std::string{line} + "\r\nHost: a\r\n\r\n"); }
/// The status of `fields` behind a good request line and Host field.
int field_refusal(std::string_view fields) {
    return refusal("GET / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n\r\n");
}
/// The status of a request with just this Host value.
int host_refusal(std::string_view host) { return refusal("GET / HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n"); }

TEST(HttpRequestLine, GivesMethodPathAndQueryAsSent) {
    const auto request = accepted("GET /a%20b/c?x=%31&y HTTP/1.1\r\nHost: chat.example:8080\r\n\r\n");
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/a%20b/c?x=%31&y");
    EXPECT_EQ(request.path, "/a%20b/c");
    EXPECT_EQ(request.query, "x=%31&y");
    EXPECT_EQ(request.host, "chat.example:8080");
    EXPECT_EQ(request.version_minor, 1);
}

TEST(HttpRequestLine, SkipsEmptyLinesBefore) {
    EXPECT_EQ(accepted("\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n").path, "/x");
    EXPECT_EQ(refusal("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(HttpRequestLine, AnyTokenIsAMethod) {
    EXPECT_EQ(accepted("BR!EW /pot HTTP/1.1\r\nHost: a\r\n\r\n").method, "BR!EW");
    EXPECT_EQ(line_refusal("G(T / HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal(" GET / HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal(std::string(33, 'A') + " / HTTP/1.1"), 501);
    EXPECT_EQ(accepted(std::string(32, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n").method.size(), 32U);
}

TEST(HttpRequestLine, NeedsExactlyTwoSpaces) {
    EXPECT_EQ(line_refusal("GET  / HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /  HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET / HTTP/1.1 "), 400);
    EXPECT_EQ(line_refusal("GET /a b HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET\t/ HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /\tHTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /"), 400);
    EXPECT_EQ(line_refusal("GET"), 400);
    EXPECT_EQ(line_refusal("GET  HTTP/1.1"), 400);
}

TEST(HttpRequestLine, RefusesOtherMajorVersionsWith505) {
    EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    EXPECT_EQ(line_refusal("GET / HTTP/2.0"), 505);
    EXPECT_EQ(line_refusal("GET / HTTP/3"), 505);
    EXPECT_EQ(line_refusal("GET / HTTP/9.9"), 505);
    EXPECT_EQ(line_refusal("GET / HTTP/0.9"), 505);
}

TEST(HttpRequestLine, RefusesMalformedVersionsWith400) {
    for (const char* version : {"http/1.1", "HTTP/1", "HTTP/1.", "HTTP/1.10", "HTTP/01.1", "HTTP/12.0", "HTTP/x.1",
                                "HTTP/1,1", "HTTP/", "HTTP", "HTTPS/1.1", "SIP/2.0"}) {
        EXPECT_EQ(line_refusal("GET / " + std::string{version}), 400) << version;
    }
}

TEST(HttpRequestLine, SpeaksOneOneToLaterMinorVersions) {
    EXPECT_EQ(accepted("GET / HTTP/1.7\r\nHost: a\r\n\r\n").version_minor, 1);
    EXPECT_EQ(refusal("GET / HTTP/1.7\r\n\r\n"), 400);
}

TEST(HttpRequestLine, EndsWithCrLfOnly) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"), 400);
}

TEST(HttpRequestLine, GarbageIsRefusedAtItsFirstByte) {
    const auto out = parse("\x16\x03\x01\x02");  // TLS on the plain port
    EXPECT_EQ(out.status, 400);
    EXPECT_EQ(out.consumed, 1U);
}

TEST(HttpTarget, FragmentControlAndNonAsciiAreRefused) {
    EXPECT_EQ(line_refusal("GET /a#b HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /\x01 HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /\x7f HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("GET /\xEB\xB0\xA9 HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal(std::string_view{"GET /\0 HTTP/1.1", 15}), 400);
}

TEST(HttpTarget, KeepsWhatBrowsersLeaveUnencoded) {
    EXPECT_EQ(accepted("GET /a|b?q={x}^`\"<> HTTP/1.1\r\nHost: a\r\n\r\n").query, "q={x}^`\"<>");
}

TEST(HttpTarget, AbsoluteFormWinsOverHost) {
    const auto request = accepted("GET http://real.example:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n");
    EXPECT_EQ(request.host, "real.example:81");
    EXPECT_EQ(request.path, "/p");
    EXPECT_EQ(request.query, "q");
    EXPECT_EQ(accepted("GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
    EXPECT_EQ(accepted("GET ws://h?a HTTP/1.1\r\nHost: h\r\n\r\n").query, "a");
    EXPECT_EQ(accepted("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n").path, "*");
}

TEST(HttpTarget, AbsoluteFormStillNeedsAValidHost) {
    EXPECT_EQ(refusal("GET http://h/ HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET http://h/ HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
}

TEST(HttpTarget, BadAbsoluteFormsAreRefused) {
    for (const char* target : {"http:///p", "http://", "http://user@h/", "http://h:x/", "ftp://h/", "://h/", "h/p",
                               "http:/h", "index.html", "?q", "http://[::1/"}) {
        EXPECT_EQ(line_refusal("GET " + std::string{target} + " HTTP/1.1"), 400) << target;
    }
}

TEST(HttpTarget, AsteriskIsForOptionsAlone) {
    EXPECT_EQ(accepted("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
    EXPECT_EQ(line_refusal("GET * HTTP/1.1"), 400);
    EXPECT_EQ(line_refusal("OPTIONS *a HTTP/1.1"), 400);
}

TEST(HttpTarget, ConnectTakesHostAndPortOnly) {
    const auto request = accepted("CONNECT h.example:443 HTTP/1.1\r\nHost: h.example\r\n\r\n");
    EXPECT_EQ(request.host, "h.example:443");
    EXPECT_EQ(request.path, "");
    for (const char* target : {"h.example", "h.example:", "/p", "http://h:1/", "[::1]", ":1"}) {
        EXPECT_EQ(line_refusal("CONNECT " + std::string{target} + " HTTP/1.1"), 400) << target;
    }
}

TEST(HttpHost, MissingDoubleOrMalformedIsRefused) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
    for (const char* host : {"", "a b", "a/b", "a@b", "a:b", "a:70000", "a:1:2", ":80", "[::1", "[::1]x", "[1.2.3.4]",
                             "[v.x]", "[]", "a%2", "a%zz", "a\"", "\xC3\xA9", "http://a"}) {
        EXPECT_EQ(host_refusal(host), 400) << host;
    }
}

TEST(HttpHost, EveryValidShapeIsAccepted) {
    for (const char* host : {"a", "a.b-c_d.example", "a:", "a:0", "a:65535", "127.0.0.1:80", "[::1]", "[::1]:80",
                             "[v1.a:b]", "a%2Fb", "xn--hq1bm8jm9l.kr", "A!$&'()*+,;=~"}) {
        EXPECT_EQ(host_refusal(host), 0) << host;
    }
}

TEST(HttpHost, OneZeroMayLeaveItOut) {
    EXPECT_EQ(accepted("GET / HTTP/1.0\r\n\r\n").host, "");
    EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
}

TEST(HttpFields, CompareWithoutCaseAndKeepOrder) {
    const auto request = accepted("GET / HTTP/1.1\r\nhost: a\r\nX-A: 1\r\nx-a:\t2 \t\r\nX-Empty:\r\n\r\n");
    EXPECT_EQ(request.headers.find("X-a"), "1");
    EXPECT_EQ(request.headers.all("X-A"), (std::vector<std::string_view>{"1", "2"}));
    EXPECT_EQ(request.headers.find("x-empty"), "");
    EXPECT_EQ(request.headers.find("x-none"), std::nullopt);
    EXPECT_EQ(request.headers.size(), 4U);
}

TEST(HttpFields, HasTokenReadsListsAcrossFields) {
    const auto request = accepted(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive , UPGRADE\r\nConnection: ,x\r\nQ: \"a, b\", c\r\n\r\n");
    EXPECT_TRUE(request.headers.has_token("connection", "upgrade"));
    EXPECT_TRUE(request.headers.has_token("Connection", "X"));
    EXPECT_FALSE(request.headers.has_token("connection", "up"));
    EXPECT_FALSE(request.headers.has_token("upgrade", "upgrade"));
    EXPECT_FALSE(request.headers.has_token("q", "b\""));
    EXPECT_TRUE(request.headers.has_token("q", "c"));
}

TEST(HttpFields, FoldedLinesAreRefused) {
    EXPECT_EQ(field_refusal("X: a\r\n b"), 400);
    EXPECT_EQ(field_refusal("X: a\r\n\tb"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

TEST(HttpFields, BareLineFeedIsRefused) {
    EXPECT_EQ(field_refusal("X: a\nY: b"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\n\n"), 400);
}

TEST(HttpFields, BareCarriageReturnIsRefused) { EXPECT_EQ(field_refusal("X: a\rb"), 400); }

TEST(HttpFields, SpaceBeforeTheColonIsRefused) {
    EXPECT_EQ(field_refusal("X : a"), 400);
    EXPECT_EQ(field_refusal("X\t: a"), 400);
}

TEST(HttpFields, NamesAreTokens) {
    EXPECT_EQ(field_refusal("X(: a"), 400);
    EXPECT_EQ(field_refusal(": a"), 400);
    EXPECT_EQ(field_refusal("no colon"), 400);
    EXPECT_EQ(field_refusal("X\xC3\xA9: a"), 400);
    EXPECT_EQ(field_refusal("!#$%&'*+-.^_`|~09: a"), 0);
}

TEST(HttpFields, ControlCharactersInValuesAreRefused) {
    EXPECT_EQ(field_refusal("X: a\x01"), 400);
    EXPECT_EQ(field_refusal("X: a\x7f"), 400);
    EXPECT_EQ(field_refusal(std::string_view{"X: a\0b", 6}), 400);
    EXPECT_EQ(field_refusal("X: tab\there, obs-text \xEB\xB0\xA9"), 0);
}

TEST(HttpLimit, TooLongTargetIs414) {
    EXPECT_EQ(line_refusal("GET /" + std::string(16 * 1024, 'a') + " HTTP/1.1"), 414);
    EXPECT_EQ(refusal("GET /" + std::string(16 * 1024, 'a')), 414) << "without waiting for the line's end";
}

TEST(HttpLimit, TooLargeHeadIs431) {
    EXPECT_EQ(field_refusal("X: " + std::string(16 * 1024, 'a')), 431);
    std::string many = "A: b";
    for (int i = 0; i < 4000; ++i) many += "\r\nA: b";
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\n" + many, {.headers = 100'000}), 431);
}

TEST(HttpLimit, HeadOfExactlyTheLimitPasses) {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(refusal(head, {.head = Bytes{head.size()}}), 0);
    EXPECT_EQ(refusal(head, {.head = Bytes{head.size() - 1}}), 431);
}

TEST(HttpLimit, TooManyFieldsAre431) {
    std::string fields;
    for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"), 0);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "A: b\r\n\r\n"), 431);
}

TEST(HttpKeepAlive, IsTheDefaultOfOneOneOnly) {
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive);
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(HttpKeepAlive, CloseWins) {
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").keep_alive);
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
}

TEST(HttpExpect, ContinueIsSurfacedWhenABodyFollows) {
    EXPECT_TRUE(
        accepted("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx").expect_continue);
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").expect_continue);
    EXPECT_FALSE(accepted("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx").expect_continue);
}

TEST(HttpExpect, AnythingElseIs417) { EXPECT_EQ(field_refusal("Expect: 100-continue, tea"), 417); }

TEST(HttpParser, LeavesThePipelinedRequestUnread) {
    const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string second = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    HttpRequestParser parser;
    const std::string stream = first + second;
    auto progress = parser.feed(stream);
    ASSERT_EQ(progress.step, HttpStep::kDone);
    ASSERT_EQ(progress.consumed, first.size());
    EXPECT_EQ(parser.request().path, "/1");
    parser.reset();
    EXPECT_TRUE(parser.idle());
    const auto out = read_request(std::string_view{stream}.substr(progress.consumed), 3);
    EXPECT_EQ(out.request.path, "/2");
    EXPECT_EQ(out.request.body, "hi");
}

TEST(HttpParser, IsIdleUntilSomethingOfARequestArrives) {
    HttpRequestParser parser;
    EXPECT_TRUE(parser.idle());
    EXPECT_EQ(parser.feed("\r\n").step, HttpStep::kNeedMore);
    EXPECT_TRUE(parser.idle());
    EXPECT_EQ(parser.feed("G").step, HttpStep::kNeedMore);
    EXPECT_FALSE(parser.idle());
}

TEST(HttpParser, StaysAtItsFaultUntilReset) {
    HttpRequestParser parser;
    ASSERT_EQ(parser.feed("BAD\n").step, HttpStep::kFault);
    const auto again = parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(again.step, HttpStep::kFault);
    EXPECT_EQ(again.consumed, 0U);
    parser.reset();
    EXPECT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").step, HttpStep::kDone);
}

}  // namespace
}  // namespace parley::wire
