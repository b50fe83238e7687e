#include "gateway/close_code.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

TEST(CloseCode, SaysWhetherComingBackHelps) {
    EXPECT_EQ(close_code(Code::kAuthExpired), 4401);
    EXPECT_EQ(close_code(Code::kAuthInvalid), 4401);
    EXPECT_EQ(close_code(Code::kForbidden), 4403);
    EXPECT_EQ(close_code(Code::kRoomNotFound), 4403);
    EXPECT_EQ(close_code(Code::kRateLimited), 4429);
    EXPECT_EQ(close_code(Code::kAuthUnavailable), 4503);
    EXPECT_EQ(close_code(Code::kStoreUnavailable), 4503);
    EXPECT_EQ(close_code(Code::kServerFull), 4503);
    EXPECT_EQ(close_code(Code::kMessageTooLarge), 1009);
    EXPECT_EQ(close_code(Code::kInternal), 1011);
    EXPECT_EQ(close_code(Code::kPositionInvalid), 4400);
    EXPECT_EQ(close_code(Code::kHistoryTruncated), 4400);
}

TEST(CloseCode, NeverTellsToStopWhereTheTableSaysRetry) {
    for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
        const Code code{static_cast<std::uint8_t>(i)};
        const bool stops = close_code(code) >= 4400 && close_code(code) < 4500;
        // A rate passes, but not for who comes back at once; RESYNC closes nothing.
        if (info(code).retry && code != Code::kRateLimited && code != Code::kResync) EXPECT_FALSE(stops) << name(code);
    }
}

}  // namespace
}  // namespace parley::gateway
