#include "auth/nickname.h"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

TEST(CleanNickname, KeepsWhatPeopleWrite) {
    EXPECT_EQ(clean_nickname("앨리스"), "앨리스");
    EXPECT_EQ(clean_nickname("Jürgen 🎲 \"d20\""), "Jürgen 🎲 \"d20\"");
}

TEST(CleanNickname, TakesOutWhatCouldForgeALineOrTurnTheText) {
    EXPECT_EQ(clean_nickname("a\r\nb\x01\x7f"), "ab");
    EXPECT_EQ(clean_nickname("ad\u202Enim\u2028\u2066x\u0085"), "adnimx");
}

TEST(CleanNickname, TrimsAndMayLeaveNothing) {
    EXPECT_EQ(clean_nickname("  \u3000a b \u00a0"), "a b");
    EXPECT_EQ(clean_nickname(" \u200b "), "");
    EXPECT_EQ(clean_nickname(""), "");
}

TEST(CleanNickname, CutsAt64CharactersNotBytes) {
    std::string korean;
    for (int i = 0; i < 64; ++i) korean += "가";
    EXPECT_EQ(clean_nickname(korean + "나"), korean);
}

TEST(CleanNickname, RefusesInvalidUtf8) {
    for (const char* text :
         {"a\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe3\x81", "\x80", "\xe0\x80\xaf"}) {
        EXPECT_EQ(clean_nickname(text), "");
    }
}

}  // namespace
}  // namespace parley::auth
