#include "base/mac.h"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(Mac, IsHmacSha256) {
    // RFC 4231, test case 2.
    const std::string mac = hmac_sha256("Jefe", "what do ya want for nothing?");
    EXPECT_EQ(
        mac,
        std::string(
            "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec"
            "\x58\xb9\x64\xec\x38\x43",
            32));
}

TEST(Mac, BytesAreTheSameOnlyWhenAllAre) {
    EXPECT_TRUE(same_bytes("abc", "abc"));
    EXPECT_FALSE(same_bytes("abc", "abd"));
    EXPECT_FALSE(same_bytes("abc", "ab"));
}

}  // namespace
}  // namespace parley
