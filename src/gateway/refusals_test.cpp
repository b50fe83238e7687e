#include "gateway/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/logger.h"

namespace parley::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Refusals, ManyOfOneCodeAreOneLineASecond) {
    const logger::Capture log;
    Refusals refusals;
    for (int i = 0; i < 1000; ++i) refusals.note(Code::kRateLimited, "too fast", "u-7");
    refusals.note(Code::kForbidden, "not yours", "u-8");
    EXPECT_EQ(log.text(), "");
    refusals.say();
    const std::string text = log.text();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    EXPECT_THAT(text, HasSubstr(R"("code":"CHAT_RATE_LIMITED","count":1000,"member":"u-7","why":"too fast")"));
    refusals.say();
    EXPECT_EQ(log.text(), text) << "nothing new, nothing said";
}

TEST(Refusals, ClientsAreToldNothingOfWhatFailedBehindTheServer) {
    const std::string detail = "connection to server at \"10.0.0.7\", port 5432 failed";
    for (const Code code : {Code::kStoreUnavailable, Code::kAuthUnavailable, Code::kInternal}) {
        EXPECT_THAT(std::string{told_to_clients({code, detail})}, Not(HasSubstr("10.0.0.7")));
    }
    EXPECT_EQ(told_to_clients({Code::kStoreUnavailable, detail}), "the message store does not answer");
    EXPECT_EQ(told_to_clients({Code::kInvalidPayload, "seq is missing"}), "seq is missing");
}

}  // namespace
}  // namespace parley::gateway
