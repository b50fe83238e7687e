#include "base/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace parley::logger {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr WallTime kNoon{milliseconds{1'700'000'000'789}};
const std::string kToken =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InUtNyIsImV4cCI6MTcwMDAwMDAwMH0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_"
    "wW1gFWFOEjXk";

std::string json(std::string_view text, Fields fields) {
    return format_line(Format::kJson, Level::kWarn, kNoon, "gateway", text, fields);
}
std::string human(std::string_view text, Fields fields) {
    return format_line(Format::kHuman, Level::kInfo, kNoon, "log", text, fields);
}

TEST(Logger, JsonLineHasTimeLevelAreaTextAndTypedFields) {
    EXPECT_EQ(json("a socket closed", {{"room", "r-1"}, {"bytes", 17U}, {"delta", -1}, {"ok", true}, {"share", 0.5}}),
              R"({"time":"2023-11-14T22:13:20.789Z","level":"warn","area":"gateway","text":"a socket closed",)"
              R"("room":"r-1","bytes":17,"delta":-1,"ok":true,"share":0.5})");
}

TEST(Logger, HumanLineQuotesOnlyWhatNeedsIt) {
    EXPECT_EQ(human("store opened", {{"dir", "a b"}, {"rooms", 3}, {"took", milliseconds{12}}, {"none", ""}}),
              "22:13:20.789 INFO  log      store opened dir=\"a b\" rooms=3 took=12 none=\"\"");
}

TEST(Logger, ControlCharactersCannotForgeALineOrDriveATerminal) {
    const std::string evil = "x\n22:00 INFO forged\r\x1b[2J\x7f\xc2\x9b";
    for (const std::string& line : {human(evil, {{"key\n", evil}}), json(evil, {{"key\n", evil}})}) {
        for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
        EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
    }
}

TEST(Logger, InvalidUtf8BecomesAReplacementAndKoreanStays) {
    EXPECT_THAT(json("앨리스", {{"k", "\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"}}),
                testing::AllOf(HasSubstr("앨리스"), HasSubstr("\"\\ufffd\\ufffd"), Not(HasSubstr("\xff"))));
}

TEST(Logger, NumbersThatJsonLacksAreQuoted) {
    EXPECT_THAT(json("x", {{"n", std::numeric_limits<double>::infinity()}}), HasSubstr(R"("n":"inf")"));
}

TEST(LoggerRedact, BlanksATokenWhereverItStands) {
    for (const std::string around : {"", " ", "\"", "?token=", "Bearer "}) {
        const std::string line = redact("before " + around + kToken + around + " after");
        EXPECT_THAT(line, HasSubstr("[token]"));
        EXPECT_THAT(line, Not(HasSubstr("eyJ")));
        EXPECT_THAT(line, testing::EndsWith(" after"));
    }
}

TEST(LoggerRedact, BlanksATokenThatWasCutOrHasNoSignature) {
    const auto second_dot = kToken.rfind('.');
    EXPECT_EQ(redact(kToken.substr(0, second_dot + 1)), "[token]");
    EXPECT_EQ(redact(kToken.substr(0, second_dot)), "[token]");
    EXPECT_EQ(redact(kToken.substr(0, 50)), "[token]");
}

TEST(LoggerRedact, BlanksEveryTokenOfALine) { EXPECT_EQ(redact(kToken + " and " + kToken), "[token] and [token]"); }

TEST(LoggerRedact, LeavesNamesAddressesAndVersionsAlone) {
    for (const std::string line : {"chat.example.org", "127.0.0.1:8080", "0.1.0", "eye.of.storm", "a.b.c.d", "",
                                   "0192f0c1-7a70-7000-8000-000000000000", "limits.max_sessions=5", "..", "방.이름"}) {
        EXPECT_EQ(redact(line), line);
    }
}

TEST(Logger, WrittenLinesAreRedacted) {
    const Capture capture;
    info("gateway", "refused", {{"query", "/ws-chat?token=" + kToken}});
    EXPECT_THAT(capture.text(), testing::AllOf(HasSubstr("[token]"), Not(HasSubstr(kToken))));
}

TEST(Logger, LinesOfManyThreadsStayWhole) {
    const Capture capture;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            for (int i = 0; i < 250; ++i) debug("log", "line", {{"i", i}});
        });
    }
    for (auto& thread : threads) thread.join();
    std::size_t lines = 0;
    const std::string text = capture.text();
    for (std::size_t from = 0; from < text.size(); ++lines) {
        const std::size_t end = text.find('\n', from);
        EXPECT_EQ(text.substr(from, 9), "{\"time\":\"");
        EXPECT_EQ(text[end - 1], '}');
        from = end + 1;
    }
    EXPECT_EQ(lines, 1000U);
}

TEST(Logger, LevelDecidesWhatIsWritten) {
    setup(Level::kWarn, Format::kJson);
    EXPECT_FALSE(enabled(Level::kInfo));
    EXPECT_TRUE(enabled(Level::kError));
    setup(Level::kInfo, Format::kAuto);
    EXPECT_TRUE(enabled(Level::kInfo));
}

TEST(Logger, NamesOfLevelsAndFormatsAreThoseOfTheConfiguration) {
    EXPECT_EQ(parse_level("error"), Level::kError);
    EXPECT_EQ(parse_level("trace"), Level::kTrace);
    EXPECT_EQ(parse_format("human"), Format::kHuman);
    EXPECT_EQ(parse_format("json"), Format::kJson);
}

}  // namespace
}  // namespace parley::logger
