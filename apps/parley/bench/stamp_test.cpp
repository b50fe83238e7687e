#include "bench/stamp.h"

#include <gtest/gtest.h>

namespace parley::bench {
namespace {

const Stamp kStamp{0x0123'4567'89ab'cdef, 0xfedc'ba98, 42};

std::string payload(std::size_t size) {
    std::string out;
    append_payload(out, kStamp, size);
    return out;
}

TEST(Stamp, ComesBackFromAPayloadOfAnySize) {
    for (const std::size_t size : {kStampSize, std::size_t{64}, std::size_t{100}, std::size_t{4001}}) {
        StampFinder finder;
        Stamp found;
        const std::string text = payload(size);
        EXPECT_EQ(text.size(), size);
        ASSERT_TRUE(finder.find(text, found));
        EXPECT_EQ(found, kStamp);
    }
}

TEST(Stamp, IsFoundWhereverItStands) {
    StampFinder finder;
    for (const char* around : {"", "x", "a longer one in front"}) {
        Stamp found;
        ASSERT_TRUE(finder.find(around + payload(64) + around, found));
        EXPECT_EQ(found, kStamp);
    }
}

TEST(Stamp, IsNotFoundInWhatHasNone) {
    StampFinder finder;
    Stamp found;
    ASSERT_TRUE(finder.find(payload(64), found));
    EXPECT_FALSE(finder.find(std::string(64, 'x'), found));
    EXPECT_FALSE(finder.find("bm.0123", found));
    EXPECT_FALSE(finder.find("", found));
}

TEST(HintedSearch, FindsTheNeedleWhereItMovedTo) {
    HintedSearch search{"\nseq:"};
    EXPECT_EQ(search.behind("a\nseq:1"), 6u);
    EXPECT_EQ(search.behind("b\nseq:2"), 6u);
    EXPECT_EQ(search.behind("longer\nseq:3"), 11u);
    EXPECT_EQ(search.behind("none"), std::string_view::npos);
}

}  // namespace
}  // namespace parley::bench
