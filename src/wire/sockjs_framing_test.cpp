#include "wire/sockjs_framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::wire {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string framed(SockJsTransport transport, std::string_view frame) {
    std::string out;
    SockJsFraming{transport, "cb"}.append(out, frame);
    return out;
}
std::string prelude(SockJsTransport transport) { return SockJsFraming{transport, "a.b"}.prelude(); }

TEST(SockJsFraming, EachTransportHasItsOwnShape) {
    EXPECT_EQ(framed(SockJsTransport::kXhr, R"(a["x"])"), "a[\"x\"]\n");
    EXPECT_EQ(framed(SockJsTransport::kXhrStreaming, "o"), "o\n");
    EXPECT_EQ(framed(SockJsTransport::kEventSource, R"(a["x"])"), "data: a[\"x\"]\r\n\r\n");
    EXPECT_EQ(framed(SockJsTransport::kHtmlFile, R"(a["x"])"), "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n");
    EXPECT_EQ(framed(SockJsTransport::kJsonp, R"(a["\n"])"), "/**/cb(\"a[\\\"\\\\n\\\"]\");\r\n");
}

TEST(SockJsFraming, AMessageCannotEndTheScriptAroundIt) {
    const std::string out = framed(SockJsTransport::kHtmlFile, R"(a["</script><script>alert(1)</script>"])");
    EXPECT_THAT(out, HasSubstr(R"(\u003c/script>\u003cscript>alert(1))"));
    EXPECT_EQ(out.find("</script>"), out.size() - 11);
}

TEST(SockJsFraming, AStreamBeginsWithWhatGetsItsReaderGoing) {
    EXPECT_EQ(prelude(SockJsTransport::kXhr), "");
    EXPECT_EQ(prelude(SockJsTransport::kJsonp), "");
    EXPECT_EQ(prelude(SockJsTransport::kXhrStreaming), std::string(2048, 'h') + '\n');
    EXPECT_EQ(prelude(SockJsTransport::kEventSource), "\r\n");
    const std::string page = prelude(SockJsTransport::kHtmlFile);
    EXPECT_THAT(page, StartsWith("<!doctype html>\n<html><head>\n"));
    EXPECT_THAT(page, HasSubstr("    var c = parent.a.b;\n    c.start();\n"));
    EXPECT_THAT(page, EndsWith(" \r\n\r\n"));
    EXPECT_GT(page.size(), 1024U);
}

TEST(SockJsFraming, OnlyXhrAndJsonpEndWithTheirFirstFrame) {
    EXPECT_FALSE(SockJsFraming{SockJsTransport::kXhr}.streams());
    EXPECT_FALSE(SockJsFraming{SockJsTransport::kJsonp}.streams());
    EXPECT_TRUE(SockJsFraming{SockJsTransport::kXhrStreaming}.streams());
    EXPECT_TRUE(SockJsFraming{SockJsTransport::kEventSource}.streams());
    EXPECT_TRUE(SockJsFraming{SockJsTransport::kHtmlFile}.streams());
}

TEST(SockJsCallback, IsANameAndNothingElse) {
    for (const char* good : {"callback", "_jp.a1b2", "a-b_c.d"}) EXPECT_TRUE(is_sockjs_callback(good)) << good;
    for (const char* bad : {"", " ", "*", "abc(", "a;b", "a<b", "a\nb", "a\"", "한"}) {
        EXPECT_FALSE(is_sockjs_callback(bad)) << bad;
    }
}

TEST(SockJsIframe, LoadsTheClientFromWhereItIsTold) {
    const std::string page = sockjs_iframe_page("/sockjs.js");
    EXPECT_THAT(page, StartsWith("<!DOCTYPE html>\n"));
    EXPECT_THAT(page, HasSubstr("<script src=\"/sockjs.js\"></script>\n"));
    EXPECT_THAT(page, HasSubstr("SockJS.bootstrap_iframe();"));
}

}  // namespace
}  // namespace parley::wire
