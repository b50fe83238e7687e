#include "wire/websocket_frame.h"

#include <cstring>

#include "base/utf8_cut.h"

namespace parley::wire {
namespace {

constexpr std::size_t kMaxControl = 125;

}  // namespace

bool is_valid_close_code(std::uint16_t code) noexcept {
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

FrameHeader frame_header(Opcode opcode, std::size_t payload_size, Compressed compressed) noexcept {
    FrameHeader header{};
    const unsigned rsv1 = compressed == Compressed::kYes ? 0x40U : 0U;
    header.bytes[0] = static_cast<char>(0x80U | rsv1 | static_cast<unsigned>(opcode));
    std::size_t length_bytes = 0;
    if (payload_size <= 125) {
        header.bytes[1] = static_cast<char>(payload_size);
    } else if (payload_size <= 0xFFFF) {
        header.bytes[1] = 126;
        length_bytes = 2;
    } else {
        header.bytes[1] = 127;
        length_bytes = 8;
    }
    for (std::size_t i = 0; i < length_bytes; ++i) {
        header.bytes[2 + i] = static_cast<char>((payload_size >> (8 * (length_bytes - 1 - i))) & 0xFF);
    }
    header.size = static_cast<std::uint8_t>(2 + length_bytes);
    return header;
}

void append_frame_header(std::string& out, Opcode opcode, std::size_t payload_size, Compressed compressed) {
    out += frame_header(opcode, payload_size, compressed).view();
}

std::string encode_close(std::uint16_t code, std::string_view reason) {
    if (code == kCloseNoStatus) return encode_control(Opcode::kClose, {});
    reason = whole_characters(reason, kMaxControl - 2);
    std::string payload;
    payload.reserve(2 + reason.size());
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xFF);
    payload += reason;
    return encode_control(Opcode::kClose, payload);
}

std::string encode_control(Opcode opcode, std::string_view payload) {
    payload = payload.substr(0, kMaxControl);
    std::string frame;
    frame.reserve(2 + payload.size());
    append_frame_header(frame, opcode, payload.size());
    frame += payload;
    return frame;
}

void unmask(char* data, std::size_t size, const std::array<unsigned char, 4>& key, std::size_t phase) noexcept {
    std::array<unsigned char, 8> wide;
    for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = key[(phase + i) & 3];
    std::uint64_t mask = 0;
    std::memcpy(&mask, wide.data(), sizeof mask);
    std::size_t at = 0;
    for (; at + 32 <= size; at += 32) {
        std::uint64_t block[4];
        std::memcpy(block, data + at, sizeof block);
        for (std::uint64_t& word : block) word ^= mask;
        std::memcpy(data + at, block, sizeof block);
    }
    for (; at + 8 <= size; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data + at, sizeof word);
        word ^= mask;
        std::memcpy(data + at, &word, sizeof word);
    }
    for (; at < size; ++at) data[at] = static_cast<char>(static_cast<unsigned char>(data[at]) ^ wide[at & 7]);
}

}  // namespace parley::wire
