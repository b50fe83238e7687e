#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/errors.h"
#include "base/function.h"
#include "base/units.h"
#include "base/uuid.h"

namespace parley {
namespace {

TEST(Clock, WritesIsoTimeWithMilliseconds) {
    EXPECT_EQ(format_iso(WallTime{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_iso(WallTime{milliseconds{951'782'400'007}}), "2000-02-29T00:00:00.007Z");
    EXPECT_EQ(format_iso(WallTime{milliseconds{253'402'300'799'999}}), "9999-12-31T23:59:59.999Z");
}

TEST(Clock, ManualOneMovesOnlyWhenToldAndItsWallClockMayFall) {
    ManualClock clock;
    const auto wall = clock.wall();
    const auto steady = clock.steady();
    clock.advance(milliseconds{1500});
    EXPECT_EQ(clock.wall() - wall, milliseconds{1500});
    EXPECT_EQ(clock.steady() - steady, milliseconds{1500});
    clock.set_wall_back(seconds{10});
    EXPECT_LT(clock.wall(), wall);
    EXPECT_EQ(clock.steady() - steady, milliseconds{1500});
}

TEST(Uuid, IsVersionSevenAndSortsByTime) {
    const std::string early = make_uuid7(WallTime{milliseconds{0x0192f0c1abcd}});
    const std::string late = make_uuid7(WallTime{milliseconds{0x0192f0c1abce}});
    EXPECT_EQ(early.substr(0, 15), "0192f0c1-abcd-7");
    EXPECT_NE(std::string{"89ab"}.find(early[19]), std::string::npos);
    EXPECT_EQ(early.size(), 36u);
    EXPECT_LT(early, late);
}

TEST(Uuid, DoesNotRepeat) {
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) seen.insert(make_uuid7(WallTime{}));
    EXPECT_EQ(seen.size(), 10'000u);
}

TEST(Uuid, RandomHexHasTheLengthAskedFor) {
    EXPECT_EQ(random_hex(0), "");
    EXPECT_EQ(random_hex(16).size(), 32u);
    EXPECT_NE(random_hex(16), random_hex(16));
    EXPECT_EQ(random_hex(64).find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Errors, EveryCodeHasItsOwnRow) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
        const ErrorInfo& row = info(static_cast<Code>(code));
        EXPECT_EQ(static_cast<int>(row.code), code);
        EXPECT_GE(row.http_status, 400) << row.name;
        EXPECT_LT(row.http_status, 600) << row.name;
        EXPECT_FALSE(row.english.empty()) << row.name;
        EXPECT_FALSE(row.korean.empty()) << row.name;
        names.insert(row.name);
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(Code::kInternal) + 1);
}

TEST(Errors, WhatMaySucceedLaterSaysSo) {
    for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
        const ErrorInfo& row = info(static_cast<Code>(code));
        EXPECT_TRUE(row.retry || row.http_status != 503) << row.name;
        EXPECT_FALSE(row.retry && (row.http_status == 400 || row.http_status == 403)) << row.name;
    }
    EXPECT_TRUE(info(Code::kRateLimited).retry);
}

TEST(UniqueFunction, HoldsWhatCanOnlyBeMovedAndDestroysItOnce) {
    const auto held = std::make_shared<int>(5);
    UniqueFunction<int(int)> add = [copy = std::make_unique<std::shared_ptr<int>>(held)](int n) { return **copy + n; };
    EXPECT_EQ(held.use_count(), 2);
    UniqueFunction<int(int)> moved = std::move(add);
    EXPECT_FALSE(add);  // NOLINT(bugprone-use-after-move): empty is what it promises
    EXPECT_EQ(moved(2), 7);
    moved = nullptr;
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Units, SizesReadAsWritten) {
    EXPECT_EQ((64_KiB).count, 65'536u);
    EXPECT_EQ((1_GiB).count, 1024u * 1024 * 1024);
    EXPECT_LT(1_KiB, 1_MiB);
}

}  // namespace
}  // namespace parley
