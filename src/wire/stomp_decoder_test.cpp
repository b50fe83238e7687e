#include "wire/stomp_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/stomp_test_support.h"

namespace parley::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using V = StompVersion;

/// The events, after checking that every way of cutting gives the same.
std::vector<std::string> events_of(std::string_view bytes, V version = V::k12, StompLimits limits = {}) {
    const auto whole = decode_stomp(bytes, 0, version, limits);
    for (const std::size_t step : {1U, 2U, 3U, 7U, 50U}) {
        EXPECT_EQ(decode_stomp(bytes, step, version, limits), whole) << step;
    }
    return whole;
}
constexpr V kAllVersions[]{V::k10, V::k11, V::k12};

TEST(StompDecoder, PassesEveryClientCommand) {
    for (const std::string_view command : {"CONNECT", "STOMP", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK",
                                           "BEGIN", "COMMIT", "ABORT", "DISCONNECT"}) {
        const std::string frame = std::string{command} + "\na:b\n\n" + '\0';
        EXPECT_THAT(events_of(frame), ElementsAre(std::string{command} + "{a=b}"));
    }
}

TEST(StompDecoder, PassesSeveralFramesOfOneFeed) {
    EXPECT_THAT(events_of("SEND\nx:1\n\none\0SEND\nx:2\n\ntwo\0\nDISCONNECT\n\n\0"sv),
                ElementsAre("SEND{x=1}one", "SEND{x=2}two", "beat", "DISCONNECT{}"));
}

TEST(StompDecoder, TellsTheHeadersOfAFrameWhoseEndHasNotComeOnce) {
    StompDecoder decoder;
    StompRecorder recorder{decoder};
    (void)decoder.feed("SEND\nx:a\\cb\n"sv, recorder);
    EXPECT_EQ(recorder.announced, "");
    (void)decoder.feed("\n"sv, recorder);
    EXPECT_EQ(std::exchange(recorder.announced, {}), "SEND{x=a:b}");
    (void)decoder.feed("body"sv, recorder);
    EXPECT_EQ(recorder.announced, "");
    (void)decoder.feed("\0SEND\ny:1\n\n\0"sv, recorder);
    EXPECT_EQ(recorder.announced, "") << "a frame that is whole is told as that";
    EXPECT_THAT(recorder.events, ElementsAre("SEND{x=a:b}body", "SEND{y=1}"));
}

TEST(StompDecoder, ReportsEndsOfLineBetweenFramesAsHeartbeats) {
    EXPECT_THAT(events_of("\n\r\n\nACK\n\n\0\r\n"sv), ElementsAre("beat", "beat", "beat", "ACK{}", "beat"));
}

TEST(StompDecoder, TakesCrLfInEveryVersion) {
    for (const V version : kAllVersions) {
        EXPECT_THAT(events_of("SEND\r\ndestination:/a\r\ncontent-length:3\r\n\r\na\r\n\0"sv, version),
                    ElementsAre("SEND{destination=/a,content-length=3}a\r\n"));
    }
}

TEST(StompDecoder, ContentLengthAllowsNulInTheBody) {
    EXPECT_THAT(events_of("SEND\ncontent-length:3\n\na\0b\0"sv), ElementsAre("SEND{content-length=3}a\0b"s));
}

TEST(StompDecoder, WithoutContentLengthTheBodyEndsAtNul) {
    EXPECT_THAT(events_of("SEND\n\nbody\nof two lines\0\n"sv), ElementsAre("SEND{}body\nof two lines", "beat"));
}

TEST(StompDecoder, PassesAWholeFrameWithoutACopy) {
    struct Where final : StompDecoder::Handler {
        Flow on_frame(const StompFrame& frame) override {
            value = frame.find("a")->data();
            body = frame.body.data();
            return Flow::kContinue;
        }
        void on_heartbeat() override {}
        const char* value = nullptr;
        const char* body = nullptr;
    } where;
    const std::string_view bytes = "SEND\na:b\n\nbody\0"sv;
    StompDecoder decoder;
    ASSERT_EQ(decoder.feed(bytes, where).consumed, bytes.size());
    EXPECT_EQ(where.value, bytes.data() + 7);
    EXPECT_EQ(where.body, bytes.data() + 10);
}

TEST(StompDecoder, HoldsNothingBetweenFrames) {
    StompDecoder decoder;
    StompRecorder recorder{decoder};
    ASSERT_FALSE(decoder.feed("SEND\n", recorder).fault);
    EXPECT_TRUE(decoder.in_frame());
    ASSERT_FALSE(decoder.feed("\n\0"sv, recorder).fault);
    EXPECT_FALSE(decoder.in_frame());
    EXPECT_LE(sizeof(StompDecoder), 96U);
}

TEST(StompDecoder, StopsAfterAFrameWhenAskedToPause) {
    const std::string_view bytes = "SEND\n\none\0SEND\n\ntwo\0"sv;
    for (std::size_t first = 0; first < bytes.size() / 2; ++first) {
        StompDecoder decoder;
        StompRecorder recorder{decoder};
        recorder.pause_after_frame = true;
        ASSERT_EQ(decoder.feed(bytes.substr(0, first), recorder).consumed, first);
        const std::size_t then = decoder.feed(bytes.substr(first), recorder).consumed;
        EXPECT_EQ(first + then, bytes.size() / 2);
        EXPECT_THAT(recorder.events, ElementsAre("SEND{}one"));
        EXPECT_EQ(decoder.feed(bytes.substr(first + then), recorder).consumed, bytes.size() / 2);
        EXPECT_THAT(recorder.events, ElementsAre("SEND{}one", "SEND{}two"));
    }
}

TEST(StompDecoder, FirstOfRepeatedHeadersCounts) {
    StompHeader headers[]{{"foo", "World"}, {"foo", "Hello"}};
    const StompFrame frame{StompCommand::kSend, headers, {}};
    EXPECT_EQ(frame.find("foo"), "World");
    EXPECT_EQ(frame.find("bar"), std::nullopt);
    EXPECT_THAT(events_of("SEND\ncontent-length:1\ncontent-length:9\n\na\0"sv),
                ElementsAre("SEND{content-length=1,content-length=9}a"));
}

TEST(StompDecoder, UnescapesAsVersion12Says) {
    EXPECT_THAT(events_of(R"(SEND)"
                          "\n"
                          R"(a\cb:1\n2\r3\\4\c5)"
                          "\n\n\0"sv),
                ElementsAre("SEND{a:b=1\n2\r3\\4:5}"));
}

TEST(StompDecoder, UnescapesAsVersion11Says) {
    EXPECT_THAT(events_of("SEND\na\\cb:1\\n2\\\\\n\n\0"sv, V::k11), ElementsAre("SEND{a:b=1\n2\\}"));
    EXPECT_THAT(events_of("SEND\na:\\r\n\n\0"sv, V::k11), ElementsAre("fault: undefined escape in a header"));
}

TEST(StompDecoder, Version10HasNoEscapes) {
    EXPECT_THAT(events_of("SEND\na:\\t\\n\\\n\n\0"sv, V::k10), ElementsAre("SEND{a=\\t\\n\\}"));
}

TEST(StompDecoder, ConnectIsNeverUnescaped) {
    EXPECT_THAT(events_of("CONNECT\naccept-version:1.2\nlogin:a\\tb\\n\n\n\0"sv),
                ElementsAre("CONNECT{accept-version=1.2,login=a\\tb\\n}"));
}

TEST(StompDecoder, VersionAgreedInConnectRulesTheNextFrame) {
    EXPECT_THAT(events_of("CONNECT\n\n\0SEND\na:\\t\n\n\0"sv), ElementsAre("CONNECT{}", "SEND{a=\\t}"));
    EXPECT_THAT(events_of("CONNECT\naccept-version:1.1\n\n\0SEND\na:\\r\n\n\0"sv),
                ElementsAre("CONNECT{accept-version=1.1}", "fault: undefined escape in a header"));
}

TEST(StompDecoder, Version10TrimsHeaders) {
    EXPECT_THAT(events_of("SEND\n destination : /a b \ncontent-length: 1 \n\nx\0"sv, V::k10),
                ElementsAre("SEND{destination=/a b,content-length=1}x"));
    EXPECT_THAT(events_of("CONNECT\nlogin: me\n\n\0"sv), ElementsAre("CONNECT{login=me}"));
}

TEST(StompDecoder, LaterVersionsKeepSpaces) {
    for (const V version : {V::k11, V::k12}) {
        EXPECT_THAT(events_of("SEND\n a : b \n\n\0"sv, version), ElementsAre("SEND{ a = b }"));
    }
}

TEST(StompDecoder, ValueMayHoldColonsAndBeEmpty) {
    EXPECT_THAT(events_of("SEND\na:http://x:1\nb:\n\n\0"sv), ElementsAre("SEND{a=http://x:1,b=}"));
}

TEST(StompDecoder, Takes128HeadersAndNoMore) {
    std::string frame = "SEND\n";
    for (int i = 0; i < 128; ++i) frame += "h:v\n";
    EXPECT_THAT(decode_stomp(frame + '\n' + '\0'), SizeIs(1));
    EXPECT_THAT(events_of(frame + "h:"), ElementsAre("fault: too many headers"));
}

TEST(StompDecoder, TakesOver16Headers) {
    std::string frame = "SEND\n";
    std::string expected = "SEND{";
    for (int i = 0; i < 20; ++i) {
        frame += "h" + std::to_string(i) + ":\\c" + std::to_string(i) + "\n";
        expected += (i > 0 ? ",h" : "h") + std::to_string(i) + "=:" + std::to_string(i);
    }
    EXPECT_THAT(events_of(frame + "\nx" + '\0'), ElementsAre(expected + "}x"));
}

// Refusals: each of these inputs stops where the frame can no longer become valid.

TEST(StompDecoder, RefusesAnUnknownCommandAtItsFirstWrongByte) {
    for (const std::string_view bytes : {"X"sv, "SENT"sv, "CONNECTE"sv, "M"sv, "SUBSCRIBEX"sv, "SEND "sv, "SEND\rX"sv,
                                         "\rX"sv, " "sv, "\0"sv, "SE\n"sv, "SEND\0"sv, "SU\r"sv}) {
        EXPECT_THAT(events_of(bytes), ElementsAre("fault: unknown command")) << bytes;
        EXPECT_THAT(decode_stomp(bytes.substr(0, bytes.size() - 1)), IsEmpty()) << bytes;
    }
}

TEST(StompDecoder, RefusesALowerCaseCommand) {
    EXPECT_THAT(events_of("send\n\n\0"sv), ElementsAre("fault: unknown command"));
    EXPECT_THAT(events_of("Connect"sv), ElementsAre("fault: unknown command"));
}

TEST(StompDecoder, RefusesAHeaderWithoutColon) {
    for (const V version : kAllVersions) {
        EXPECT_THAT(events_of("SEND\nbroken\n", version), ElementsAre("fault: header without a colon"));
        EXPECT_THAT(events_of("SEND\na:b\nbroken\r\n", version), ElementsAre("fault: header without a colon"));
    }
}

TEST(StompDecoder, RefusesAHeaderWithoutAName) {
    EXPECT_THAT(events_of("SEND\n:"), ElementsAre("fault: header without a name"));
}

// A text frame that carries such a header on would end its receivers' connections.
TEST(StompDecoder, RefusesAHeaderThatIsNotUtf8) {
    for (const V version : kAllVersions) {
        EXPECT_THAT(events_of("SEND\na:\xFF\n", version), ElementsAre("fault: header is not UTF-8"));
    }
    EXPECT_THAT(events_of("SEND\na:안녕\n\n\xFF\0"sv), ElementsAre("SEND{a=안녕}\xFF"));
}

TEST(StompDecoder, RefusesAnUndefinedEscapeAtOnce) {
    for (const std::string_view bytes :
         {"SEND\na:\\t"sv, "SEND\na:\\:"sv, "SEND\n\\x"sv, "SEND\na:\\\n"sv, "SEND\na:\\C"sv}) {
        EXPECT_THAT(events_of(bytes), ElementsAre("fault: undefined escape in a header"));
        EXPECT_THAT(events_of(bytes, V::k11), ElementsAre("fault: undefined escape in a header"));
    }
}

TEST(StompDecoder, RefusesABareCrInAHeaderOf12) {
    EXPECT_THAT(events_of("SEND\na:b\rc"), ElementsAre("fault: CR inside a header"));
    EXPECT_THAT(events_of("SEND\na:b\rc\n\n\0"sv, V::k11), ElementsAre("SEND{a=b\rc}"));
}

TEST(StompDecoder, RefusesNulInTheHeaders) {
    EXPECT_THAT(events_of("SEND\na:b\0"sv), ElementsAre("fault: NUL before the end of the headers"));
    EXPECT_THAT(events_of("SEND\na:b\n\0"sv), ElementsAre("fault: NUL before the end of the headers"));
}

TEST(StompDecoder, RefusesAContentLengthThatIsNoNumberAtOnce) {
    for (const std::string_view value :
         {"x"sv, "-"sv, "+"sv, "1a"sv, "1 "sv, " "sv, "1:"sv, "\n"sv, "1.5\n"sv, "0x1"sv}) {
        const std::string bytes = std::string{"SEND\ncontent-length:"}.append(value);
        EXPECT_THAT(events_of(bytes), ElementsAre("fault: content-length is not a number")) << value;
    }
    EXPECT_THAT(events_of("SEND\ncontent-length: \n", V::k10), ElementsAre("fault: content-length is not a number"));
    EXPECT_THAT(events_of("SEND\ncontent-length:1 1\n", V::k10), ElementsAre("fault: content-length is not a number"));
}

TEST(StompDecoder, RefusesABodyThatDoesNotEndAtContentLength) {
    EXPECT_THAT(events_of("SEND\ncontent-length:2\n\nabc"),
                ElementsAre("fault: no NUL where content-length ends the body"));
    EXPECT_THAT(decode_stomp("SEND\ncontent-length:3\n\nabc"), IsEmpty());
}

TEST(StompDecoder, RefusesABodyOnAnythingButSend) {
    EXPECT_THAT(events_of("SUBSCRIBE\nid:1\n\nx"), ElementsAre("fault: only SEND may have a body"));
    EXPECT_THAT(events_of("ACK\ncontent-length:1\n"), ElementsAre("fault: only SEND may have a body"));
    EXPECT_THAT(events_of("ACK\ncontent-length:0\n\n\0"sv), ElementsAre("ACK{content-length=0}"));
    EXPECT_THAT(events_of("BEGIN\n\nx\0"sv, V::k10), ElementsAre("BEGIN{}x"));
}

TEST(StompDecoder, RefusesHeadersOverTheirLimit) {
    const StompLimits limits{.max_header_block = 10_B};
    EXPECT_THAT(events_of("SEND\na:b\n\nx\0"sv, V::k12, limits), ElementsAre("SEND{a=b}x"));
    EXPECT_THAT(events_of("SEND\na:bcd", V::k12, limits), ElementsAre("too large: headers too large"));
    EXPECT_THAT(events_of("SEND\na:bc\n", V::k12, limits), ElementsAre("too large: headers too large"));
    EXPECT_THAT(events_of("SEND\na:bc\\", V::k12, limits), ElementsAre("too large: headers too large"));
}

TEST(StompDecoder, RefusesAFrameOverTheLimitByItsContentLength) {
    const StompLimits limits{.max_frame = 30_B};
    EXPECT_THAT(events_of("SEND\ncontent-length:6\n\n123456\0"sv, V::k12, limits),
                ElementsAre("SEND{content-length=6}123456"));
    EXPECT_THAT(events_of("SEND\ncontent-length:7\n\n", V::k12, limits), ElementsAre("too large: frame too large"));
    EXPECT_THAT(events_of("SEND\ncontent-length:31\n", V::k12, limits), ElementsAre("too large: frame too large"));
    EXPECT_THAT(events_of("SEND\ncontent-length:99999999999\n"), ElementsAre("too large: frame too large"));
}

TEST(StompDecoder, RefusesAFrameOverTheLimitByItsBytes) {
    const StompLimits limits{.max_frame = 10_B};
    EXPECT_THAT(events_of("SEND\n\n123\0"sv, V::k12, limits), ElementsAre("SEND{}123"));
    EXPECT_THAT(events_of("SEND\n\n1234", V::k12, limits), ElementsAre("too large: frame too large"));
    EXPECT_THAT(events_of("SEND\n\n1234\0"sv, V::k12, limits), ElementsAre("too large: frame too large"));
}

TEST(StompDecoder, TakesAFrameOfExactly128KiB) {
    const std::string head = "SEND\ndestination:/a\n\n";
    const std::string body(128 * 1024 - head.size() - 1, 'x');
    EXPECT_THAT(decode_stomp(head + body + '\0', 4096), ElementsAre("SEND{destination=/a}" + body));
    EXPECT_THAT(decode_stomp(head + body + 'x', 4096), ElementsAre("too large: frame too large"));
}

TEST(StompDecoder, FaultCarriesTheReceiptThatHadArrived) {
    EXPECT_THAT(events_of("SEND\nreceipt:r\\c1\nreceipt:r2\nbroken\n"),
                ElementsAre("fault: header without a colon (r:1)"));
    EXPECT_THAT(events_of("SEND\nbroken\nreceipt:r1\n\n\0"sv), ElementsAre("fault: header without a colon"));
    EXPECT_THAT(events_of("SEND\nreceipt:r1\ncontent-length:1\n\nab"),
                ElementsAre("fault: no NUL where content-length ends the body (r1)"));
    EXPECT_THAT(events_of("SEND\nreceipt: r1\nbroken\n", V::k10), ElementsAre("fault: header without a colon (r1)"));
}

TEST(StompDecoder, FaultOfOneFrameDoesNotCarryTheReceiptOfAnother) {
    EXPECT_THAT(events_of("SEND\nreceipt:r1\n\n\0SEND\nbroken\n"sv),
                ElementsAre("SEND{receipt=r1}", "fault: header without a colon"));
    EXPECT_THAT(events_of("SEND\nreceipt:r1\n\n\0NONSENSE"sv),
                ElementsAre("SEND{receipt=r1}", "fault: unknown command"));
}

TEST(StompDecoder, SwallowsWhatFollowsAFault) {
    StompDecoder decoder;
    StompRecorder recorder{decoder};
    ASSERT_TRUE(decoder.feed("nonsense", recorder).fault);
    const StompFed fed = decoder.feed("SEND\n\n\0"sv, recorder);
    EXPECT_EQ(fed.consumed, 7U);
    EXPECT_FALSE(fed.fault);
    EXPECT_THAT(recorder.events, IsEmpty());
}

}  // namespace
}  // namespace parley::wire
