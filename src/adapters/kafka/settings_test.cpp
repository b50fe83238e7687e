#include "adapters/kafka/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Properties, AreOneALineAndSplitAtTheFirstEqualsSign) {
    const auto found =
        parse_properties("# of the brokers\r\n\nsecurity.protocol = SASL_SSL\r\n sasl.password=a=b, #c ");
    ASSERT_TRUE(found);
    EXPECT_THAT(*found, ElementsAre(Pair("security.protocol", "SASL_SSL"), Pair("sasl.password", "a=b, #c")));
    EXPECT_TRUE(parse_properties("")->empty());
}

TEST(Properties, WhatThePromisesRestOnIsRefused) {
    for (const char* text : {"acks=1", "enable.idempotence = false", "auto.offset.reset=latest", "group.id=x"})
        EXPECT_FALSE(parse_properties(text)) << text;
    EXPECT_THAT(parse_properties("a=b\nacks=1").error().message, HasSubstr("line 2: acks is not to be set"));
}

TEST(Properties, ALineWithoutANameOrAValueIsRefusedWithoutRepeatingIt) {
    for (const char* text : {"hunter2", "=hunter2"})
        EXPECT_THAT(parse_properties(text).error().message,
                    testing::AllOf(HasSubstr("line 1"), testing::Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace parley::kafka
