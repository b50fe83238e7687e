#include "gateway/rest_path.h"

#include <gtest/gtest.h>

#include <array>

namespace parley::gateway {
namespace {

using Strings = std::vector<std::string>;

TEST(RestPath, GivesTheValuesOfItsPattern) {
    EXPECT_EQ(match_path("/api/rooms", Strings{"api", "rooms"}), Strings{});
    EXPECT_EQ(match_path("/api/rooms/{room}", Strings{"api", "rooms", "r-1"}), Strings{"r-1"});
    EXPECT_EQ(match_path("/api/rooms/{room}/members/{member}", Strings{"api", "rooms", "r-1", "members", "u/9"}),
              (Strings{"r-1", "u/9"}));
}

TEST(RestPath, FitsWholePathsOnly) {
    EXPECT_FALSE(match_path("/api/rooms", Strings{"api"}));
    EXPECT_FALSE(match_path("/api/rooms", Strings{"api", "rooms", ""}));
    EXPECT_FALSE(match_path("/api/rooms/{room}/read", Strings{"api", "rooms", "r-1"}));
    EXPECT_FALSE(match_path("/api/rooms/{room}/read", Strings{"api", "rooms", "r-1", "join"}));
    EXPECT_FALSE(match_path("/api", Strings{}));
}

TEST(RestPath, AnEmptySegmentIsNoValue) { EXPECT_FALSE(match_path("/api/rooms/{room}", Strings{"api", "rooms", ""})); }

TEST(RestPath, GetTakesHead) {
    EXPECT_TRUE(takes_method("GET", "HEAD"));
    EXPECT_TRUE(takes_method("POST", "POST"));
    EXPECT_FALSE(takes_method("POST", "HEAD"));
    EXPECT_FALSE(takes_method("GET", "get"));
}

TEST(RestPath, AllowListsWhatIsTaken) {
    EXPECT_EQ(allow_field(std::array<std::string_view, 2>{"GET", "POST"}), "GET, HEAD, POST");
    EXPECT_EQ(allow_field(std::array<std::string_view, 1>{"DELETE"}), "DELETE");
}

}  // namespace
}  // namespace parley::gateway
