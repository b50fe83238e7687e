#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::wire {

/// RFC 6455 section 5.2.
enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

/// Close codes this server sends (docs/protocol.md section 3) or reports. 4400–4499: do not retry
/// as you are; 4500–4599: retry with back-off.
enum CloseCode : std::uint16_t {
    kCloseNormal = 1000,
    kCloseGoingAway = 1001,
    kCloseProtocolError = 1002,
    kCloseNoStatus = 1005,  ///< never sent: what on_close() reports for a close frame without a code
    kCloseInvalidData = 1007,
    kCloseTooBig = 1009,
    kCloseInternal = 1011,
    kCloseRefused = 4400,
    kCloseToken = 4401,
    kCloseForbidden = 4403,
    kCloseTooSlow = 4408,
    kCloseReplaced = 4409,
    kCloseRate = 4429,
    kCloseOverloaded = 4503,
};

/// Whether a peer may put `code` into a close frame (RFC 6455 section 7.4, IANA's registry).
[[nodiscard]] bool is_valid_close_code(std::uint16_t code) noexcept;

/// The 2 to 10 bytes in front of an unmasked (server to client) payload. FIN is always set.
struct FrameHeader {
    std::array<char, 10> bytes;
    std::uint8_t size;
    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};
enum class Compressed : bool { kNo, kYes };  ///< RSV1: the payload came from Deflater::compress()
[[nodiscard]] FrameHeader frame_header(Opcode opcode, std::size_t payload_size,
                                       Compressed compressed = Compressed::kNo) noexcept;
void append_frame_header(std::string& out, Opcode opcode, std::size_t payload_size,
                         Compressed compressed = Compressed::kNo);

/// A whole close frame. `reason` is cut at a character boundary to the 123 bytes that fit;
/// kCloseNoStatus gives a frame without payload.
[[nodiscard]] std::string encode_close(std::uint16_t code, std::string_view reason = {});
/// A whole ping or pong frame; `payload` is cut to the 125 bytes that fit.
[[nodiscard]] std::string encode_control(Opcode opcode, std::string_view payload);

/// XORs `data` with the masking key, beginning `phase` bytes into the key (RFC 6455 section 5.3).
void unmask(char* data, std::size_t size, const std::array<unsigned char, 4>& key, std::size_t phase = 0) noexcept;

}  // namespace parley::wire
