#include "chat/external_event.h"

#include <gtest/gtest.h>

namespace parley::chat {
namespace {

std::optional<std::string> shown(std::string_view text) { return external_event(RoomId::trusted("r-1"), text); }

TEST(ExternalEvent, JsonIsShownAsItIs) {
    EXPECT_EQ(shown(R"({"rain":true})"), R"({"event":"EXTERNAL","roomId":"r-1","content":{"rain":true}})");
    EXPECT_EQ(shown(R"("비")"), R"({"event":"EXTERNAL","roomId":"r-1","content":"비"})");
}

TEST(ExternalEvent, PlainTextIsAString) {
    EXPECT_EQ(shown(R"(a "quoted" word)"), R"({"event":"EXTERNAL","roomId":"r-1","content":"a \"quoted\" word"})");
    EXPECT_EQ(shown(R"(1},"seq":7)"), R"({"event":"EXTERNAL","roomId":"r-1","content":"1},\"seq\":7"})");
    EXPECT_EQ(shown(""), R"({"event":"EXTERNAL","roomId":"r-1","content":""})");
}

TEST(ExternalEvent, WhatIsNoTextIsNotShown) { EXPECT_EQ(shown("\xff\xfe"), std::nullopt); }

}  // namespace
}  // namespace parley::chat
