#include "gateway/sockjs_headers.h"

#include <gtest/gtest.h>

#include "gateway/services.h"
#include "gateway/sockjs_iframe.h"

namespace parley::gateway {
namespace {

wire::HttpRequest request(std::initializer_list<std::pair<const char*, const char*>> fields) {
    wire::HttpRequest made;
    made.host = "chat.example";
    for (const auto& [name, value] : fields) made.headers.add(name, value);
    return made;
}
Options with_origin(std::string origin) {
    Options options;
    options.origins = {std::move(origin)};
    return options;
}

TEST(PageAllowed, WhereNothingSpeaksOfAnotherSite) {
    EXPECT_TRUE(page_allowed({}, request({})));
    EXPECT_TRUE(page_allowed({}, request({{"Sec-Fetch-Site", "same-origin"}})));
    EXPECT_TRUE(page_allowed({}, request({{"Sec-Fetch-Site", "none"}})));
}

TEST(PageAllowed, AScriptOfAnotherSiteIsJudgedByItsReferer) {
    const auto cross = request({{"Sec-Fetch-Site", "cross-site"}, {"Referer", "https://friend.example/page?x=/"}});
    EXPECT_FALSE(page_allowed({}, cross));
    EXPECT_TRUE(page_allowed(with_origin("https://friend.example"), cross));
    EXPECT_FALSE(page_allowed(with_origin("https://other.example"), cross));
}

TEST(PageAllowed, AScriptThatHidesWhereItComesFromIsAnyones) {
    const auto hidden = request({{"Sec-Fetch-Site", "cross-site"}});
    EXPECT_FALSE(page_allowed(with_origin("https://friend.example"), hidden));
    EXPECT_TRUE(page_allowed(with_origin("*"), hidden));
}

TEST(PageAllowed, OriginCountsMoreThanReferer) {
    EXPECT_FALSE(page_allowed(with_origin("https://friend.example"),
                              request({{"Origin", "https://evil.example"}, {"Referer", "https://friend.example/"}})));
}

TEST(SockJsIframe, OnlyAllowedOriginsMayFrameIt) {
    using FramedBy = SockJsIframe::FramedBy;
    EXPECT_EQ(SockJsIframe{Options{}}.policy(FramedBy::kAllowed), "frame-ancestors 'self'");
    EXPECT_EQ(SockJsIframe{with_origin("https://*.friend.example")}.policy(FramedBy::kAllowed),
              "frame-ancestors 'self' https://*.friend.example");
    EXPECT_EQ(SockJsIframe{with_origin("https://a;script-src")}.policy(FramedBy::kAllowed), "frame-ancestors 'self'");
    EXPECT_EQ(SockJsIframe{Options{}}.policy(FramedBy::kAnyone), "frame-ancestors *");
}

}  // namespace
}  // namespace parley::gateway
