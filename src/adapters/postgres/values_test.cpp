#include "adapters/postgres/values.h"

#include <gtest/gtest.h>

namespace parley::postgres {
namespace {

using namespace std::literals;

TEST(PostgresValues, NumbersAreBigEndianAndStopAtTheLargestBigint) {
    Params params;
    params.number(258).number(UINT64_MAX).time(WallTime{milliseconds{-2}});
    EXPECT_EQ(params.bytes(0), "\0\0\0\0\0\0\1\2"sv);
    EXPECT_EQ(params.bytes(1), "\x7f\xff\xff\xff\xff\xff\xff\xff"sv);
    EXPECT_EQ(params.bytes(2), "\xff\xff\xff\xff\xff\xff\xff\xfe"sv);
}

TEST(PostgresValues, AnArrayHasItsLengthAndThatOfEachElement) {
    const std::vector<std::string> words{"ab", ""};
    Params params;
    params.texts(words, [](const std::string& word) -> const std::string& { return word; });
    params.numbers(std::vector<int>{}, [](int n) { return n; });
    EXPECT_EQ(params.bytes(0), "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\2ab\0\0\0\0"sv);
    EXPECT_EQ(params.bytes(1), "\0\0\0\0\0\0\0\0\0\0\0\x14"sv) << "no dimension";
}

TEST(PostgresValues, ATextWithAnEmbeddedNulIsNoticed) {
    EXPECT_FALSE(Params{}.text("abc").holds_nul());
    EXPECT_TRUE(Params{}.text("a\0c"sv).holds_nul());
    EXPECT_TRUE(Params{}.texts(std::vector{"a\0c"sv}, [](std::string_view t) { return t; }).holds_nul());
}

}  // namespace
}  // namespace parley::postgres
