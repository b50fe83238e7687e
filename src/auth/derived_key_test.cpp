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

}  // namespace
}  // namespace parley::auth
