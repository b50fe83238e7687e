#include "adapters/kafka/other_writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(TopicsOfAMember, AreReadBehindTheVersionAndWhatFollowsThemIsIgnored) {
    EXPECT_THAT(topics_of("\0\1\0\0\0\2\0\4chat\0\1x\0\0\0\0"sv), Optional(ElementsAre("chat", "x")));
    EXPECT_THAT(topics_of("\0\1\0\0\0\0"sv), Optional(IsEmpty()));
}

TEST(TopicsOfAMember, AreNotKnownWhereTheyAreCutShort) {
    for (const auto bytes : {""sv, "\0\1"sv, "\0\1\0\0\0\1"sv, "\0\1\0\0\0\1\0\4cha"sv, "\0\1\xff\xff\xff\xff\0\1x"sv})
        EXPECT_EQ(topics_of(bytes), std::nullopt);
}

}  // namespace
}  // namespace parley::kafka
