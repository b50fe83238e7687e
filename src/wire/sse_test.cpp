#include "wire/sse.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

std::string event(const SseEvent& event) {
    std::string out;
    append_sse_event(out, event);
    return out;
}

TEST(Sse, AnEventHasItsIdNameAndData) {
    EXPECT_EQ(event({.name = "connected", .id = "7", .data = "SSE 연결 성공"}),
              "id: 7\nevent: connected\ndata: SSE 연결 성공\n\n");
}

TEST(Sse, TheDefaultEventHasNoNameAndAnEventWithoutIdLeavesTheReadersOwn) {
    EXPECT_EQ(event({.data = "{}"}), "data: {}\n\n");
}

TEST(Sse, EveryLineOfTheDataIsALineOfTheEventHoweverItEnds) {
    EXPECT_EQ(event({.data = "a\nb\r\nc\rd"}), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    EXPECT_EQ(event({.data = "a\n\nb"}), "data: a\ndata: \ndata: b\n\n");
    EXPECT_EQ(event({.data = "a\n"}), "data: a\ndata: \n\n");
}

TEST(Sse, EmptyDataIsStillAnEvent) { EXPECT_EQ(event({.name = "x"}), "event: x\ndata: \n\n"); }

TEST(Sse, NoNameOrIdCanEndItsLine) {
    EXPECT_EQ(event({.name = "a\ndata: b",
                     .id = std::string_view{"1\r\0"
                                            "2",
                                            4},
                     .data = "x"}),
              "id: 12\nevent: adata: b\ndata: x\n\n");
}

TEST(Sse, RetryIsInMilliseconds) {
    std::string out;
    append_sse_retry(out, 2000);
    EXPECT_EQ(out, "retry: 2000\n");
}

}  // namespace
}  // namespace parley::wire
