#include "worker/mentions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> in(const std::string& content) {
    static const std::vector<Named> people{{MemberId::trusted("u-1"), "앨리스"}, {MemberId::trusted("u-2"), "앨리"},
                                           {MemberId::trusted("u-3"), "Bob"},    {MemberId::trusted("u-4"), "Bob Lee"},
                                           {MemberId::trusted("u-5"), "앨리스"}, {MemberId::trusted("u-6"), ""}};
    std::vector<std::string> out;
    for (const MemberId& member : find_mentions(content, people)) out.push_back(member.str());
    return out;
}

TEST(Mentions, TheNicknameBehindAnAtIsMeant) {
    EXPECT_THAT(in("hello @bob!"), ElementsAre("u-3"));
    EXPECT_THAT(in("@Bob"), ElementsAre("u-3"));
    EXPECT_THAT(in("(@BOB), @앨리"), ElementsAre("u-2", "u-3"));
    EXPECT_THAT(in("bob, 앨리"), IsEmpty());
    EXPECT_THAT(in("@ bob @"), IsEmpty());
}

TEST(Mentions, TheLongestNicknameThatFitsIsMeantAndAllWhoHaveIt) {
    EXPECT_THAT(in("@앨리스"), ElementsAre("u-1", "u-5"));
    EXPECT_THAT(in("@bob lee and @bob"), ElementsAre("u-3", "u-4"));
    EXPECT_THAT(in("@Bob Lee"), ElementsAre("u-4"));
}

TEST(Mentions, AWordThatGoesOnIsAnotherNameButKoreanGoesOn) {
    EXPECT_THAT(in("@bobby @bob_ @bob2"), IsEmpty());
    EXPECT_THAT(in("@bob님"), ElementsAre("u-3"));
    EXPECT_THAT(in("@앨리스님 안녕"), ElementsAre("u-1", "u-5"));
}

TEST(Mentions, AnAddressMentionsNobody) {
    EXPECT_THAT(in("write to me@bob or x1@bob.com"), IsEmpty());
    EXPECT_THAT(in("나@bob"), ElementsAre("u-3"));
    EXPECT_THAT(in("@@bob"), ElementsAre("u-3"));
}

TEST(Mentions, NobodyIsMentionedTwiceAndAMessageMentionsFifty) {
    EXPECT_THAT(in("@bob @Bob @BOB"), ElementsAre("u-3"));
    std::vector<Named> many;
    for (int i = 0; i < 80; ++i) many.push_back({MemberId::trusted("u-" + std::to_string(i)), "x"});
    EXPECT_EQ(find_mentions("@x", many).size(), 50U);
}

}  // namespace
}  // namespace parley::worker
