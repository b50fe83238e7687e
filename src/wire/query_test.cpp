#include "wire/query.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

std::optional<std::string> first(std::string_view raw, std::string_view name) {
    const auto query = QueryParams::parse(raw);
    EXPECT_TRUE(query) << raw;
    return query ? query->get(name) : std::nullopt;
}
bool refused(std::string_view raw) {
    const auto query = QueryParams::parse(raw);
    return !query && query.error().code == Code::kBadRequest;
}

TEST(QueryParams, DecodePercentAndPlus) {
    EXPECT_EQ(first("q=%EC%95%88+%2b&r=1", "q"), "안 +");
    EXPECT_EQ(first("%71=x", "q"), "x");
}

TEST(QueryParams, FirstValueWins) { EXPECT_EQ(first("a=1&a=2", "a"), "1"); }

TEST(QueryParams, EmptyAndMissingAreDifferent) {
    EXPECT_EQ(first("a&b=", "a"), "");
    EXPECT_EQ(first("a&b=", "b"), "");
    EXPECT_EQ(first("a&b=", "c"), std::nullopt);
    EXPECT_EQ(first("", "a"), std::nullopt);
}

TEST(QueryParams, SplitAtTheFirstEqualsOnly) { EXPECT_EQ(first("token=a=b==&x", "token"), "a=b=="); }

TEST(QueryParams, EmptyPairsAreSkipped) {
    const auto query = QueryParams::parse("&&a=1&");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->size(), 1U);
    EXPECT_TRUE(query->has("a"));
    EXPECT_FALSE(query->has(""));
}

TEST(QueryParams, MalformedPercentIsRefused) {
    for (const char* raw : {"a=%", "a=%1", "a=%zz", "a=%1g", "%=1", "x=1&a=b%2"}) EXPECT_TRUE(refused(raw)) << raw;
}

TEST(QueryParams, NulAndBytesThatAreNotUtf8AreRefused) {
    EXPECT_TRUE(refused("a=%00"));
    EXPECT_TRUE(refused("a%00=1"));
    EXPECT_TRUE(refused("a=%ff"));
    EXPECT_TRUE(refused("a=%ed%a0%80"));
}

TEST(QueryParams, SizeAndNumberAreLimited) {
    EXPECT_TRUE(refused("a=" + std::string(16 * 1024, 'x')));
    EXPECT_TRUE(QueryParams::parse("d=" + std::string(16 * 1024, 'x'), 32_KiB));
    std::string many;
    for (int i = 0; i < 256; ++i) many += "a=1&";
    EXPECT_FALSE(refused(many));
    EXPECT_TRUE(refused(many + "a=1"));
}

TEST(QueryParams, ErrorsNeverHoldTheQuery) {
    const auto query = QueryParams::parse("token=secret%");
    ASSERT_FALSE(query);
    EXPECT_EQ(query.error().message.find("secret"), std::string::npos);
}

TEST(RedactQuery, BlanksTokenAndTicketOnly) {
    EXPECT_EQ(redact_query("/ws-chat?roomId=r&token=abc.d&ticket=e&tokens=f"),
              "/ws-chat?roomId=r&token=***&ticket=***&tokens=f");
    EXPECT_EQ(redact_query("/token=abc"), "/token=abc");
    EXPECT_EQ(redact_query("/a?token"), "/a?token");
    EXPECT_EQ(redact_query("/a?"), "/a?");
}

TEST(RedactQuery, SeesThroughEncodingCaseAndRepetition) {
    EXPECT_EQ(redact_query("/a?%74oken=x&TOKEN=y&token=z=z"), "/a?%74oken=***&TOKEN=***&token=***");
    EXPECT_EQ(redact_query("http://h/a?token=x"), "http://h/a?token=***");
    EXPECT_EQ(redact_query("/a?b=%&token=x"), "/a?b=%&token=***");
}

TEST(SplitPath, DecodesSegmentBySegment) {
    using Segments = std::vector<std::string>;
    EXPECT_EQ(*split_path("/"), Segments{});
    EXPECT_EQ(*split_path("/api/rooms/%EB%B0%A9/x+y"), (Segments{"api", "rooms", "방", "x+y"}));
    EXPECT_EQ(*split_path("/a/"), (Segments{"a", ""}));
    EXPECT_EQ(*split_path("//a"), (Segments{"", "a"}));
}

TEST(SplitPath, AnEncodedSlashDoesNotSplit) { EXPECT_EQ(split_path("/a%2Fb")->at(0), "a/b"); }

TEST(SplitPath, LeavesDotsAsNames) { EXPECT_EQ(split_path("/a/../%2e%2E")->at(2), ".."); }

TEST(SplitPath, RefusesWhatIsNoPath) {
    for (const char* path : {"", "a", "*", "/%", "/%0", "/a%00b", "/%ff", "/ok/%gg"})
        EXPECT_FALSE(split_path(path)) << path;
}

}  // namespace
}  // namespace parley::wire
