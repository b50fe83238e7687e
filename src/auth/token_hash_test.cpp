#include "auth/token_hash.h"

#include <gtest/gtest.h>

#include "auth/encoding.h"

namespace parley::auth {
namespace {

TEST(TokenHash, KeepsWhatItsDigitsSay) {
    const std::string hex = sha256_hex("a token");
    EXPECT_EQ(TokenHash::from_hex(hex).hex(), hex);
    EXPECT_EQ(TokenHash::from_hex(hex), TokenHash::from_hex(hex));
    EXPECT_NE(TokenHash::from_hex(hex), TokenHash::from_hex(sha256_hex("another")));
    EXPECT_FALSE(TokenHash::from_hex(hex).empty());
}

TEST(TokenHash, WhatIsNoHashIsNoToken) {
    EXPECT_TRUE(TokenHash{}.empty());
    EXPECT_TRUE(TokenHash::from_hex("").empty());
    EXPECT_TRUE(TokenHash::from_hex("abc").empty());
    EXPECT_TRUE(TokenHash::from_hex(std::string(64, 'g')).empty());
}

}  // namespace
}  // namespace parley::auth
