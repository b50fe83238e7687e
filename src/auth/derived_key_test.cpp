#include "auth/derived_key.h"

#include <gtest/gtest.h>

#include "auth/encoding.h"

namespace parley::auth {
namespace {

TEST(DerivedKey, DependsOnSecretAndPurposeAlone) {
    const std::string key = derive_key("0123456789abcdef0123456789abcdef", "cursor");
    EXPECT_EQ(key.size(), 32U);
    EXPECT_EQ(key, derive_key("0123456789abcdef0123456789abcdef", "cursor"));
    EXPECT_NE(key, derive_key("0123456789abcdef0123456789abcdef", "fleet"));
    EXPECT_NE(key, derive_key("1123456789abcdef0123456789abcdef", "cursor"));
}

TEST(DerivedKey, IsTheSameHoweverTheSecretIsWritten) {
    const std::string raw = "0123456789abcdef0123456789abcdef";
    EXPECT_EQ(derive_key(raw, "cursor"), derive_key("base64:" + base64url(raw), "cursor"));
}

TEST(DerivedKey, TheMacIsHmacSha256) {
    // RFC 4231, test case 2.
    EXPECT_EQ(base64url(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
}

TEST(DerivedKey, BytesAreTheSameOnlyWhenAllAre) {
    EXPECT_TRUE(same_bytes("abc", "abc"));
    EXPECT_FALSE(same_bytes("abc", "abd"));
    EXPECT_FALSE(same_bytes("abc", "ab"));
}

}  // namespace
}  // namespace parley::auth
