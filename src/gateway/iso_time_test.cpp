#include "gateway/iso_time.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace parley::gateway {
namespace {

std::string parsed(std::string_view text) {
    const auto time = parse_iso_time(text);
    return time ? format_iso(*time) : "none";
}

TEST(IsoTime, ReadsWhatItWrites) {
    for (const std::string text :
         {"2026-11-20T12:34:56.789Z", "1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z"}) {
        EXPECT_EQ(parsed(text), text);
    }
}

TEST(IsoTime, TakesShorterFormsAndZones) {
    EXPECT_EQ(parsed("2026-11-20"), "2026-11-20T00:00:00.000Z");
    EXPECT_EQ(parsed("2026-11-20T12:34Z"), "2026-11-20T12:34:00.000Z");
    EXPECT_EQ(parsed("2026-11-20T12:34:56"), "2026-11-20T12:34:56.000Z");
    EXPECT_EQ(parsed("2026-11-20T00:30:00+09:00"), "2026-11-19T15:30:00.000Z");
    EXPECT_EQ(parsed("2026-11-20T23:30:00-0130"), "2026-11-21T01:00:00.000Z");
    EXPECT_EQ(parsed("2026-11-20T24:00:00Z"), "2026-11-21T00:00:00.000Z");
}

TEST(IsoTime, IsNeverLate) {
    EXPECT_EQ(parsed("2026-11-20T12:34:56.7899999Z"), "2026-11-20T12:34:56.789Z");
    EXPECT_EQ(parsed("2026-11-20T12:34:56.7Z"), "2026-11-20T12:34:56.700Z");
}

TEST(IsoTime, RefusesWhatIsNone) {
    for (const std::string_view text :
         {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-20T25:00:00Z", "2026-11-20T24:30:00Z",
          "2026-11-20T12:60:00Z", "2026-11-20T-1:00:00Z", "2026-11-20T-0:00:00Z", "2026-11-20T12:34:56.Z",
          "2026-11-20T12:34:56ZZ", "2026-11-20T12:34:56+9", "2026-1-20", "-026-11-20", "1700000000"}) {
        EXPECT_EQ(parsed(text), "none") << text;
    }
}

}  // namespace
}  // namespace parley::gateway
