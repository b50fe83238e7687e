#include "auth/encoding.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

TEST(Base64Url, RoundTripsEveryLength) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
        bytes += static_cast<char>(i * 37);
    }
}

TEST(Base64Url, KnowsTheVectorsOfTheRfc) {
    EXPECT_EQ(base64url(""), "");
    EXPECT_EQ(base64url("f"), "Zg");
    EXPECT_EQ(base64url("fo"), "Zm8");
    EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");
}

TEST(Base64Url, RefusesPaddingOtherAlphabetsLooseBitsAndHalfCharacters) {
    for (const char* text : {"Zg==", "Zm8=", "+/8", "Z m8", "Zm8\n", "Zh", "Zm9", "Zm9vY", "A"}) {
        EXPECT_EQ(from_base64url(text), std::nullopt) << text;
    }
}

TEST(Base64Lenient, TakesPaddingAndBothAlphabets) {
    EXPECT_EQ(from_base64_lenient("+/8="), "\xfb\xff");
    EXPECT_EQ(from_base64_lenient("-_8"), "\xfb\xff");
    EXPECT_EQ(from_base64_lenient("?"), std::nullopt);
}

TEST(Sha256, IsTheKnownOne) {
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace parley::auth
