#include "wire/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::wire {
namespace {

using namespace std::string_view_literals;

/// The validator's verdict over pieces of `step` bytes.
bool valid_in_pieces(std::string_view text, std::size_t step) {
    Utf8Validator validator;
    for (std::size_t at = 0; at < text.size(); at += step) {
        if (!validator.feed(text.substr(at, step))) return false;
    }
    return validator.complete();
}

void expect_verdict(std::string_view text, bool valid) {
    for (const std::string_view before :
         {""sv, "0123456789012345678901234567890"sv, "한국어 문장 하나를 앞에 둔다"sv}) {
        for (const std::string_view after : {""sv, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"sv}) {
            const std::string whole = std::string{before}.append(text).append(after);
            EXPECT_EQ(is_valid_utf8(whole), valid) << whole;
            for (const std::size_t step : {1, 2, 3, 5, 33, 1000})
                EXPECT_EQ(valid_in_pieces(whole, step), valid) << whole;
        }
    }
}

TEST(Utf8, TakesTheFirstAndLastOfEachLength) {
    for (const std::string_view text :
         {"\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
          "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
        expect_verdict(text, true);
    }
}

TEST(Utf8, RefusesOverlongForms) {
    for (const std::string_view text : {"\xC0\xAF"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xF0\x8F\xBF\xBF"sv}) {
        expect_verdict(text, false);
    }
}

TEST(Utf8, RefusesSurrogatesAndWhatLiesAboveUnicode) {
    for (const std::string_view text :
         {"\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\xFE"sv}) {
        expect_verdict(text, false);
    }
}

TEST(Utf8, RefusesLoneAndMissingContinuations) {
    for (const std::string_view text :
         {"\x80"sv, "\xBF"sv, "\xC2"sv, "\xE1\x80"sv, "\xF1\x80\x80"sv, "\xE1\x80\xC2\x80"sv}) {
        expect_verdict(text, false);
    }
}

TEST(Utf8, RefusesAtTheFirstHopelessByte) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed("abc\xF4"));
    EXPECT_FALSE(validator.complete());
    EXPECT_FALSE(validator.feed("\x90"));
    EXPECT_FALSE(validator.feed("a"));
    validator.reset();
    EXPECT_TRUE(validator.feed("a"));
    EXPECT_TRUE(validator.complete());
}

TEST(Utf8, WhatIsNoneBecomesTheReplacementCharacterAndTheRestStays) {
    std::string repaired;
    EXPECT_EQ(as_utf8("안녕 é", repaired), "안녕 é");
    EXPECT_TRUE(repaired.empty());
    EXPECT_EQ(as_utf8("a\xFF안\xC3", repaired), "a\xEF\xBF\xBD안\xEF\xBF\xBD");
    EXPECT_EQ(as_utf8("\xF0\x9F\x98", repaired), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_TRUE(is_valid_utf8(repaired));
}

TEST(Utf8, AgreesWithTheWholeCheckOnEveryThreeBytes) {
    for (unsigned first = 0xBF; first <= 0xFF; ++first) {
        for (unsigned second = 0x70; second <= 0xFF; ++second) {
            for (const unsigned third : {0x20U, 0x7FU, 0x80U, 0xBFU, 0xC0U}) {
                const std::string text{static_cast<char>(first), static_cast<char>(second), static_cast<char>(third)};
                ASSERT_EQ(valid_in_pieces(text, 3), is_valid_utf8(text)) << first << ' ' << second << ' ' << third;
            }
        }
    }
}

}  // namespace
}  // namespace parley::wire
