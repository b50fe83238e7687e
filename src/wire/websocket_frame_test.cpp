#include "wire/websocket_frame.h"

#include <gtest/gtest.h>

namespace parley::wire {
namespace {

std::string header(std::size_t size, Compressed compressed = Compressed::kNo) {
    std::string out;
    append_frame_header(out, Opcode::kText, size, compressed);
    return out;
}

TEST(WebSocketFrame, HeaderUsesTheShortestLength) {
    EXPECT_EQ(header(0), (std::string{"\x81\x00", 2}));
    EXPECT_EQ(header(125), "\x81\x7D");
    EXPECT_EQ(header(126), (std::string{"\x81\x7E\x00\x7E", 4}));
    EXPECT_EQ(header(65535), "\x81\x7E\xFF\xFF");
    EXPECT_EQ(header(65536), (std::string{"\x81\x7F\0\0\0\0\0\x01\0\0", 10}));
}

TEST(WebSocketFrame, HeaderMarksCompressedPayload) { EXPECT_EQ(header(5, Compressed::kYes), "\xC1\x05"); }

TEST(WebSocketFrame, CloseCarriesCodeAndReason) {
    EXPECT_EQ(encode_close(kCloseToken, "expired"), std::string("\x88\x09\x11\x31", 4) + "expired");
    EXPECT_EQ(encode_close(kCloseNoStatus), (std::string{"\x88\x00", 2}));
}

TEST(WebSocketFrame, CloseReasonIsCutBetweenCharacters) {
    std::string reason(122, 'x');
    reason += "안";
    EXPECT_EQ(encode_close(1000, reason).size(), 2U + 2 + 122);
    EXPECT_EQ(encode_close(1000, std::string(200, 'x')).size(), 2U + 125);
}

TEST(WebSocketFrame, ControlPayloadIsCutTo125Bytes) {
    EXPECT_EQ(encode_control(Opcode::kPong, "abc"),
              "\x8A\x03"
              "abc");
    EXPECT_EQ(encode_control(Opcode::kPong, std::string(126, 'x')).size(), 2U + 125);
}

TEST(WebSocketFrame, UnmaskAgreesWithTheByteByByteRule) {
    const std::array<unsigned char, 4> key{0x37, 0xFA, 0x21, 0x3D};
    for (std::size_t size = 0; size < 100; ++size) {
        for (std::size_t phase = 0; phase < 6; ++phase) {
            std::string fast(size, 'a');
            std::string slow = fast;
            for (std::size_t i = 0; i < size; ++i) slow[i] = static_cast<char>(slow[i] ^ key[(i + phase) % 4]);
            unmask(fast.data(), size, key, phase);
            ASSERT_EQ(fast, slow) << size << " from phase " << phase;
        }
    }
}

}  // namespace
}  // namespace parley::wire
