#include "auth/passwords.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

const Passwords kCheap{{.memory_kib = 64, .passes = 1, .lanes = 1}};

TEST(Passwords, VerifiesWhatItHashed) {
    const auto hash = kCheap.hash("correct horse 비밀");
    ASSERT_TRUE(hash);
    EXPECT_TRUE(kCheap.verify("correct horse 비밀", *hash));
    EXPECT_FALSE(kCheap.verify("correct horse", *hash));
    EXPECT_FALSE(kCheap.verify("", *hash));
}

TEST(Passwords, SaltsEachHash) { EXPECT_NE(*kCheap.hash("same"), *kCheap.hash("same")); }

TEST(Passwords, KeepsZeroBytesApart) {
    const std::string with_zero("a\0b", 3);
    const auto hash = kCheap.hash(with_zero);
    EXPECT_TRUE(kCheap.verify(with_zero, *hash));
    EXPECT_FALSE(kCheap.verify("a", *hash));
}

TEST(Passwords, WritesTheDefaultParametersIntoTheHash) {
    EXPECT_EQ(Passwords{}.hash("x")->substr(0, 31), "$argon2id$v=19$m=19456,t=2,p=1$");
}

TEST(Passwords, VerifiesHashesOfOtherParameters) {
    const Passwords before{{.memory_kib = 128, .passes = 2, .lanes = 1}};
    EXPECT_TRUE(kCheap.verify("pw", *before.hash("pw")));
}

TEST(Passwords, RefusesWhatIsNoHash) {
    for (const char* hash : {"", "plain", "$argon2id$", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA"}) {
        EXPECT_FALSE(kCheap.verify("pw", hash)) << hash;
    }
}

TEST(Passwords, TakesAnyDecoyWithoutFailing) {
    kCheap.verify_decoy("");
    kCheap.verify_decoy("anything");
}

}  // namespace
}  // namespace parley::auth
