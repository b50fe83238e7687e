#include "wire/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/websocket_test_support.h"

namespace parley::wire {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::string text(std::string_view payload, ClientFrame how = {}) { return client_frame(Opcode::kText, payload, how); }
std::string more(std::string_view payload, ClientFrame how = {}) {
    return client_frame(Opcode::kContinuation, payload, how);
}
std::string ping(std::string_view payload) { return client_frame(Opcode::kPing, payload); }
std::string close_of(std::uint16_t code, std::string_view reason = {}) {
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    return client_frame(Opcode::kClose, payload.append(reason));
}
constexpr ClientFrame kNotLast{.fin = false};

/// The events, after checking that every way of cutting gives the same.
std::vector<std::string> events_of(const std::string& bytes, WebSocketLimits limits = {}) {
    const auto whole = decode(bytes, 0, limits);
    for (const std::size_t step : {1U, 2U, 3U, 7U, 64U, 1000U}) EXPECT_EQ(decode(bytes, step, limits), whole) << step;
    return whole;
}

TEST(WebSocketDecoder, PassesTextAndBinary) {
    EXPECT_THAT(events_of(text("안녕") + client_frame(Opcode::kBinary, "\x01\xFF")),
                ElementsAre("text:안녕", "binary:\x01\xFF"));
}

TEST(WebSocketDecoder, PassesAnEmptyMessage) { EXPECT_THAT(events_of(text("")), ElementsAre("text:")); }

TEST(WebSocketDecoder, ReadsEveryLengthForm) {
    for (const std::size_t size : {1U, 125U, 126U, 127U, 128U, 65535U, 65536U, 131072U}) {
        const std::string payload(size, '*');
        EXPECT_THAT(decode(text(payload)), ElementsAre("text:" + payload)) << size;
        EXPECT_THAT(decode(text(payload), 997), ElementsAre("text:" + payload)) << size;
    }
}

TEST(WebSocketDecoder, PassesAWholeMessageWithoutACopy) {
    struct Where final : WebSocketDecoder::Handler {
        Flow on_message(Opcode, std::string_view payload) override {
            seen = payload.data();
            return Flow::kContinue;
        }
        void on_ping(std::string_view) override {}
        void on_pong(std::string_view) override {}
        void on_close(std::uint16_t, std::string_view) override {}
        const char* seen = nullptr;
    } where;
    std::string bytes = text("in place");
    WebSocketDecoder decoder;
    ASSERT_EQ(decoder.feed(bytes, where).consumed, bytes.size());
    EXPECT_EQ(where.seen, bytes.data() + 6);
}

TEST(WebSocketDecoder, JoinsFragments) {
    EXPECT_THAT(events_of(text("a", kNotLast) + more("b", kNotLast) + more("", kNotLast) + more("c") + text("d")),
                ElementsAre("text:abc", "text:d"));
}

TEST(WebSocketDecoder, TakesControlFramesBetweenFragments) {
    EXPECT_THAT(events_of(text("a", kNotLast) + ping("p") + client_frame(Opcode::kPong, "q") + more("b")),
                ElementsAre("ping:p", "pong:q", "text:ab"));
}

TEST(WebSocketDecoder, JoinsACharacterCutByFragments) {
    EXPECT_THAT(events_of(text("\xEC\x95", kNotLast) + more("\x88")), ElementsAre("text:안"));
}

TEST(WebSocketDecoder, TakesAControlFrameOf125Bytes) {
    const std::string payload(125, '\xFE');
    EXPECT_THAT(events_of(ping(payload)), ElementsAre("ping:" + payload));
}

TEST(WebSocketDecoder, StopsAfterAMessageWhenAskedToPause) {
    WebSocketDecoder decoder;
    WebSocketRecorder recorder;
    recorder.pause_after_message = true;
    std::string bytes = text("one") + text("two");
    const std::size_t first = decoder.feed(bytes, recorder).consumed;
    EXPECT_THAT(recorder.events, ElementsAre("text:one"));
    EXPECT_EQ(first, bytes.size() / 2);
    EXPECT_EQ(decoder.feed(std::span{bytes}.subspan(first), recorder).consumed, bytes.size() - first);
    EXPECT_THAT(recorder.events, ElementsAre("text:one", "text:two"));
}

TEST(WebSocketDecoder, SwallowsWhatFollowsAClose) {
    EXPECT_THAT(events_of(close_of(1000, "bye") + text("late")), ElementsAre("close:1000:bye"));
}

TEST(WebSocketDecoder, SwallowsWhatFollowsAFault) {
    WebSocketDecoder decoder;
    WebSocketRecorder recorder;
    std::string bad = client_frame(3U, "");
    std::string good = text("late");
    ASSERT_TRUE(decoder.feed(bad, recorder).fault);
    EXPECT_TRUE(decoder.closed());
    EXPECT_FALSE(decoder.in_message());
    EXPECT_EQ(decoder.feed(good, recorder).consumed, good.size());
    EXPECT_THAT(recorder.events, SizeIs(0));
}

TEST(WebSocketDecoder, HoldsNothingBetweenMessages) {
    WebSocketDecoder decoder;
    WebSocketRecorder recorder;
    std::string bytes = text(std::string(5000, 'x'));
    ASSERT_FALSE(decoder.feed(std::span{bytes}.first(2000), recorder).fault);
    EXPECT_TRUE(decoder.in_message());
    ASSERT_FALSE(decoder.feed(std::span{bytes}.subspan(2000), recorder).fault);
    EXPECT_FALSE(decoder.in_message());
    EXPECT_LE(sizeof(WebSocketDecoder), 128U);
}

TEST(WebSocketDecoder, RefusesAnUnmaskedFrame) {
    EXPECT_THAT(events_of(text("a", {.masked = false})), ElementsAre("fault:1002"));
}

TEST(WebSocketDecoder, RefusesReservedBits) {
    for (const unsigned rsv : {1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
        EXPECT_THAT(events_of(text("a", {.rsv = rsv})), ElementsAre("fault:1002")) << rsv;
        EXPECT_THAT(events_of(text("ok") + client_frame(Opcode::kPing, "", {.rsv = rsv})),
                    ElementsAre("text:ok", "fault:1002"));
    }
}

TEST(WebSocketDecoder, RefusesUnknownOpcodes) {
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        EXPECT_THAT(events_of(client_frame(opcode, "")), ElementsAre("fault:1002")) << opcode;
    }
}

TEST(WebSocketDecoder, RefusesAFragmentedControlFrame) {
    for (const Opcode opcode : {Opcode::kPing, Opcode::kPong, Opcode::kClose}) {
        EXPECT_THAT(events_of(client_frame(opcode, "", kNotLast)), ElementsAre("fault:1002"));
    }
}

TEST(WebSocketDecoder, RefusesAControlFrameOver125Bytes) {
    for (const Opcode opcode : {Opcode::kPing, Opcode::kPong, Opcode::kClose}) {
        EXPECT_THAT(events_of(client_frame(opcode, std::string(126, 'x'))), ElementsAre("fault:1002"));
    }
}

TEST(WebSocketDecoder, RefusesAContinuationOfNothing) {
    EXPECT_THAT(events_of(more("a")), ElementsAre("fault:1002"));
    EXPECT_THAT(events_of(text("a", kNotLast) + more("b") + more("c")), ElementsAre("text:ab", "fault:1002"));
}

TEST(WebSocketDecoder, RefusesANewMessageInsideAFragmentedOne) {
    EXPECT_THAT(events_of(text("a", kNotLast) + text("b")), ElementsAre("fault:1002"));
}

TEST(WebSocketDecoder, RefusesALengthNotInItsShortestForm) {
    EXPECT_THAT(events_of(text("a", {.length_bytes = 2})), ElementsAre("fault:1002"));
    EXPECT_THAT(events_of(text(std::string(125, 'x'), {.length_bytes = 8})), ElementsAre("fault:1002"));
    EXPECT_THAT(decode(text(std::string(65535, 'x'), {.length_bytes = 8})), ElementsAre("fault:1002"));
}

TEST(WebSocketDecoder, RefusesALengthWithItsHighestBitSet) {
    EXPECT_THAT(events_of(std::string{"\x82\xFF\x80\0\0\0\0\0\0\0\0\0\0\0", 14}), ElementsAre("fault:1002"));
}

TEST(WebSocketDecoder, RefusesBadUtf8InText) {
    EXPECT_THAT(events_of(text("ok\xFF")), ElementsAre("fault:1007"));
    EXPECT_THAT(events_of(text("\xED\xA0\x80")), ElementsAre("fault:1007"));
    EXPECT_THAT(events_of(text("cut \xEC\x95")), ElementsAre("fault:1007"));
    EXPECT_THAT(events_of(text("\xEC\x95", kNotLast) + more("")), ElementsAre("fault:1007"));
}

TEST(WebSocketDecoder, RefusesBadUtf8BeforeItsMessageIsComplete) {
    EXPECT_THAT(decode(text("a", kNotLast) + more("\xFF", kNotLast)), ElementsAre("fault:1007"));
    const std::string frame = text(std::string(10, 'a') + "\xF4\x90" + std::string(100, 'a'));
    EXPECT_THAT(decode(frame.substr(0, 6 + 12)), ElementsAre("fault:1007"));
    EXPECT_THAT(decode(frame.substr(0, 6 + 11)), SizeIs(0));
}

TEST(WebSocketDecoder, TakesAnyBytesAsBinary) {
    EXPECT_THAT(events_of(client_frame(Opcode::kBinary, "\xFF\xFE")), ElementsAre("binary:\xFF\xFE"));
}

TEST(WebSocketDecoder, TakesACloseWithoutACode) {
    EXPECT_THAT(events_of(client_frame(Opcode::kClose, "")), ElementsAre("close:1005:"));
}

TEST(WebSocketDecoder, RefusesACloseOfOneByte) {
    EXPECT_THAT(events_of(client_frame(Opcode::kClose, "\x03")), ElementsAre("fault:1002"));
}

TEST(WebSocketDecoder, TakesTheCloseCodesAClientMayUse) {
    for (const unsigned code :
         {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
        EXPECT_THAT(events_of(close_of(static_cast<std::uint16_t>(code), "r")),
                    ElementsAre("close:" + std::to_string(code) + ":r"));
    }
}

TEST(WebSocketDecoder, RefusesCloseCodesNobodyMaySend) {
    for (const unsigned code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
        EXPECT_THAT(events_of(close_of(static_cast<std::uint16_t>(code))), ElementsAre("fault:1002")) << code;
    }
}

TEST(WebSocketDecoder, RefusesBadUtf8InACloseReason) {
    EXPECT_THAT(events_of(close_of(1000, "\xFF")), ElementsAre("fault:1007"));
}

TEST(WebSocketDecoder, RefusesATooLargeFrameByItsHeader) {
    const WebSocketLimits limits{.max_message = 10_B};
    EXPECT_THAT(events_of(text("0123456789"), limits), ElementsAre("text:0123456789"));
    EXPECT_THAT(decode(text("0123456789a").substr(0, 6), 0, limits), ElementsAre("fault:1009"));
    EXPECT_THAT(events_of(std::string{"\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14}),
                ElementsAre("fault:1009"));
}

TEST(WebSocketDecoder, RefusesATooLargeMessageByItsRunningTotal) {
    const WebSocketLimits limits{.max_message = 10_B};
    EXPECT_THAT(events_of(text("01234", kNotLast) + more("56789"), limits), ElementsAre("text:0123456789"));
    EXPECT_THAT(events_of(text("01234", kNotLast) + more("56789a").substr(0, 6), limits), ElementsAre("fault:1009"));
}

TEST(WebSocketDecoder, RefusesTooManyFragments) {
    const WebSocketLimits limits{.max_fragments = 3};
    const std::string three = text("", kNotLast) + more("", kNotLast) + more("", kNotLast);
    EXPECT_THAT(events_of(three + more("") + three + more(""), limits), ElementsAre("text:", "text:"));
    EXPECT_THAT(events_of(three + more("", kNotLast), limits), ElementsAre("fault:1009"));
}

}  // namespace
}  // namespace parley::wire
