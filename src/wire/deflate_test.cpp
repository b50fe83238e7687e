#include "wire/deflate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "wire/websocket_test_support.h"

namespace parley::wire {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
constexpr std::size_t kLimit = 1 << 20;

std::string compressed(std::string_view message, int bits = 15) {
    Deflater deflater{bits};
    std::string out;
    deflater.compress(message, out);
    return out;
}

std::string noise(std::size_t size) {
    std::mt19937 random{42};
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
}

/// Raw DEFLATE of `message` ended by a BFINAL block, and the empty block RFC 7692 section 7.2.3.4 adds.
std::string compressed_with_final_block(std::string message, int level = 6, std::string_view dictionary = {}) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (!dictionary.empty()) {
        deflateSetDictionary(&z, reinterpret_cast<const Bytef*>(dictionary.data()),
                             static_cast<uInt>(dictionary.size()));
    }
    std::string out(message.size() + 100, '\0');
    z.next_in = reinterpret_cast<Bytef*>(message.data());
    z.avail_in = static_cast<uInt>(message.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out + '\0';
}

std::string expand(std::string_view payload, std::size_t limit = kLimit) {
    Inflater inflater;
    const Inflater::Outcome outcome = inflater.inflate(payload, limit);
    if (outcome.status == InflateStatus::kTooLarge) return "too large";
    if (outcome.status == InflateStatus::kCorrupt) return "corrupt";
    return std::string{outcome.message};
}

TEST(Deflater, AStoredPieceAndACompressedOneAreOneMessage) {
    Deflater deflater{15};
    std::string tail;
    const std::string body(500, 'b');
    deflater.compress(body, tail);
    for (const std::string& head : {std::string{}, std::string{"a"}, std::string(300, 'h'), std::string(0xFFFF, 'x')}) {
        std::string message;
        Deflater::append_stored(message, head);
        message += tail;
        Inflater inflater;
        EXPECT_EQ(inflater.inflate(message, 100'000).message, head + body);
    }
}

TEST(Deflate, RoundTripsAtEveryWindowSize) {
    std::string message;
    for (int i = 0; i < 5000; ++i) message += "주사위 " + std::to_string(i * 7919 % 1000) + " | ";
    for (int bits = 9; bits <= 15; ++bits) EXPECT_EQ(expand(compressed(message, bits)), message) << bits;
}

TEST(Deflate, RoundTripsWhatCannotBeCompressed) {
    for (const std::size_t size : {1U, 100U, 16'384U, 65'535U, 65'536U, 300'000U}) {
        const std::string message = noise(size);
        const std::string payload = compressed(message);
        EXPECT_EQ(expand(payload), message);
        EXPECT_LE(payload.size(), size + size / 8 + 64);
    }
}

TEST(Deflate, EmptyMessageIsOneByte) {
    EXPECT_EQ(compressed(""), "\0"sv);
    EXPECT_EQ(expand("\0"sv), "");
    EXPECT_EQ(expand("\x02\x00"sv), "");
    EXPECT_EQ(expand(""), "");
}

TEST(Deflate, PayloadLacksTheClosingFourBytes) { EXPECT_FALSE(compressed("Hello").ends_with("\x00\x00\xFF\xFF"sv)); }

TEST(Deflate, OneMessageLeavesNoTraceInTheNext) {
    Deflater deflater{15};
    std::string first;
    std::string second;
    deflater.compress("the same words again", first);
    deflater.compress("the same words again", second);
    EXPECT_EQ(first, second);
}

TEST(Deflate, CompressAppends) {
    Deflater deflater{15};
    std::string out = "head";
    deflater.compress("Hello", out);
    EXPECT_EQ(expand(std::string_view{out}.substr(4)), "Hello");
    EXPECT_TRUE(out.starts_with("head"));
}

TEST(Deflate, SetMakesEachWindowSizeOnce) {
    DeflaterSet set;
    EXPECT_EQ(&set.at(9), &set.at(9));
    EXPECT_NE(&set.at(9), &set.at(15));
}

// The examples of RFC 7692 section 7.2.3.
TEST(Inflate, TakesTheExampleOfOneBlock) { EXPECT_EQ(expand("\xF2\x48\xCD\xC9\xC9\x07\x00"sv), "Hello"); }
TEST(Inflate, TakesTheExampleOfAStoredBlock) {
    EXPECT_EQ(expand("\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"sv), "Hello");
}
TEST(Inflate, TakesTheExampleOfAFinalBlock) { EXPECT_EQ(expand("\xF3\x48\xCD\xC9\xC9\x07\x00\x00"sv), "Hello"); }
TEST(Inflate, TakesTheExampleOfTwoBlocks) {
    EXPECT_EQ(expand("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"sv), "Hello");
}

TEST(Inflate, LooksBackAcrossAFinalBlock) {
    const std::string first = noise(40'000);
    const std::string second = first.substr(20'000) + "!";
    std::string payload = compressed_with_final_block(first);
    payload.pop_back();
    payload += compressed_with_final_block(second, 6, first);
    EXPECT_LT(payload.size(), 42'000U);
    EXPECT_EQ(expand(payload), first + second);
}

TEST(Inflate, TakesAStreamThatEndsWithItsFinalBlock) {
    std::string payload = compressed_with_final_block("Hello");
    payload.pop_back();
    EXPECT_EQ(expand(payload), "Hello");
}

TEST(Inflate, RefusesMoreThanTheLimit) {
    const std::string payload = compressed(std::string(100'000, 'x'));
    EXPECT_EQ(expand(payload, 100'000).size(), 100'000U);
    EXPECT_EQ(expand(payload, 99'999), "too large");
    EXPECT_EQ(expand(payload, 0), "too large");
}

TEST(Inflate, RefusesABombWithoutExpandingIt) {
    std::string bomb = compressed(std::string(64 << 20, '\0'));
    ASSERT_LT(bomb.size(), 128U * 1024);
    EXPECT_EQ(expand(bomb, 128 * 1024), "too large");
}

TEST(Inflate, RefusesCorruptData) {
    EXPECT_EQ(expand("\xFF\xFF\xFF\xFF"sv), "corrupt");
    EXPECT_EQ(expand("\x07"sv), "corrupt");
    EXPECT_EQ(expand("\x00\x05\x00\xFA\xFE\x48"sv), "corrupt");
}

TEST(Inflate, RefusesAStreamCutInsideABlock) {
    const std::string payload = compressed("a message that is long enough to be cut somewhere");
    for (std::size_t size = 1; size + 1 < payload.size(); ++size) {
        EXPECT_EQ(expand(std::string_view{payload}.substr(0, size)), "corrupt") << size;
    }
}

TEST(Inflate, WorksAgainAfterARefusal) {
    Inflater inflater;
    EXPECT_EQ(inflater.inflate("\xFF\xFF", kLimit).status, InflateStatus::kCorrupt);
    EXPECT_EQ(inflater.inflate(compressed(std::string(5000, 'x')), 10).status, InflateStatus::kTooLarge);
    EXPECT_EQ(inflater.inflate(compressed("Hello"), kLimit).message, "Hello");
}

TEST(CompressedMessage, IsExpandedWholeOrInFragments) {
    Inflater inflater;
    const std::string payload = compressed("안녕하세요 안녕하세요");
    std::string bytes = client_frame(Opcode::kText, payload, {.rsv = 4});
    bytes += client_frame(Opcode::kText, payload.substr(0, 3), {.fin = false, .rsv = 4});
    bytes += client_frame(Opcode::kPing, "between");
    bytes += client_frame(Opcode::kContinuation, payload.substr(3));
    bytes += client_frame(Opcode::kText, "plain");
    for (const std::size_t step : {0U, 1U, 5U}) {
        EXPECT_THAT(decode(bytes, step, {}, &inflater), ElementsAre("text:안녕하세요 안녕하세요", "ping:between",
                                                                    "text:안녕하세요 안녕하세요", "text:plain"));
    }
}

TEST(CompressedMessage, Rsv1OnAContinuationOrControlFrameIsRefused) {
    Inflater inflater;
    EXPECT_THAT(
        decode(client_frame(Opcode::kText, "", {.fin = false}) + client_frame(Opcode::kContinuation, "", {.rsv = 4}), 0,
               {}, &inflater),
        ElementsAre("fault:1002"));
    EXPECT_THAT(decode(client_frame(Opcode::kPing, "", {.rsv = 4}), 0, {}, &inflater), ElementsAre("fault:1002"));
}

TEST(CompressedMessage, OfBadUtf8IsRefusedAsTextAndTakenAsBinary) {
    Inflater inflater;
    const std::string payload = compressed("\xFF\xFE");
    EXPECT_THAT(decode(client_frame(Opcode::kText, payload, {.rsv = 4}), 0, {}, &inflater), ElementsAre("fault:1007"));
    EXPECT_THAT(decode(client_frame(Opcode::kBinary, payload, {.rsv = 4}), 0, {}, &inflater),
                ElementsAre("binary:\xFF\xFE"));
}

TEST(CompressedMessage, ThatIsCorruptIsRefused) {
    Inflater inflater;
    EXPECT_THAT(decode(client_frame(Opcode::kText, "\xFF\xFF", {.rsv = 4}), 0, {}, &inflater),
                ElementsAre("fault:1007"));
}

TEST(CompressedMessage, ThatInflatesPastTheLimitIsRefused) {
    Inflater inflater;
    const std::string bytes = client_frame(Opcode::kText, compressed(std::string(1001, 'x')), {.rsv = 4});
    EXPECT_THAT(decode(bytes, 0, {.max_message = 1000_B}, &inflater), ElementsAre("fault:1009"));
    EXPECT_THAT(decode(bytes, 0, {.max_message = 1001_B}, &inflater), ElementsAre("text:" + std::string(1001, 'x')));
}

TEST(CompressedMessage, AtTheLimitThatDoesNotShrinkIsTaken) {
    Inflater inflater;
    const std::string message = noise(128 * 1024);
    const std::string payload = compressed(message);
    ASSERT_GT(payload.size(), message.size());
    EXPECT_THAT(decode(client_frame(Opcode::kBinary, payload, {.rsv = 4}), 0, {}, &inflater),
                ElementsAre("binary:" + message));
}

TEST(Inflater, AMessageThatFillsItsBufferExactlyIsNotCorrupt) {
    // A stored block of five bytes, of which four are the tail that every message gets.
    const std::string payload("\x00\x05\x00\xfa\xff\x48", 6);
    Inflater inflater;
    EXPECT_EQ(inflater.inflate(payload, 4).status, InflateStatus::kTooLarge);  // leaves a buffer of five
    EXPECT_EQ(inflater.inflate(payload, 5).status, InflateStatus::kOk);
}

}  // namespace
}  // namespace parley::wire
