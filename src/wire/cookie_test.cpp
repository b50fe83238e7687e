#include "wire/cookie.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

TEST(Cookie, FindsTheFirstOfThatName) {
    EXPECT_EQ(cookie("a=1; token=x.y-z; token=2", "token"), "x.y-z");
    EXPECT_EQ(cookie("a=1;token=b=c", "token"), "b=c");
    EXPECT_EQ(cookie("token=\"q\" ; b", "token"), "q");
    EXPECT_EQ(cookie("token=", "token"), "");
}

TEST(Cookie, NamesMatchWholeAndWithCase) {
    for (const char* header : {"", ";", "xtoken=1", "Token=1", "token", "a=token=1", "=token"}) {
        EXPECT_EQ(cookie(header, "token"), std::nullopt) << header;
    }
}

TEST(SetCookie, IsAlwaysHttpOnlyAndSameSiteStrict) {
    EXPECT_EQ(*set_cookie("parley", "a.b-c"), "parley=a.b-c; Path=/; HttpOnly; SameSite=Strict");
    EXPECT_EQ(*set_cookie("parley", "", {.max_age = seconds{0}, .path = "/api", .secure = true}),
              "parley=; Path=/api; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
}

TEST(SetCookie, RefusesWhatWouldAddAttributesOrLines) {
    for (const char* value : {"a;b", "a b", "a\"", "a\r\nb", "a,b", "\xC3\xA9"})
        EXPECT_FALSE(set_cookie("n", value)) << value;
    EXPECT_FALSE(set_cookie("", "v"));
    EXPECT_FALSE(set_cookie("a=b", "v"));
    EXPECT_FALSE(set_cookie("n", "v", {.path = "/;Domain=x"}));
    EXPECT_FALSE(set_cookie("n", "v", {.path = "x"}));
}

}  // namespace
}  // namespace parley::wire
