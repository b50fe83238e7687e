#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/websocket_frame.h"

namespace parley::bench {

/// One WebSocket frame of a server at the front of `bytes`. nullopt: not all of it is there.
struct ServerFrame {
    wire::Opcode opcode{};
    bool compressed = false;
    std::string_view payload;
    std::size_t size = 0;  ///< with its header
};
[[nodiscard]] inline std::optional<ServerFrame> front_frame(std::string_view bytes) noexcept {
    if (bytes.size() < 2) return std::nullopt;
    const auto byte = [bytes](std::size_t i) {
        return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
    };
    std::uint64_t size = byte(1) & 0x7F;
    std::size_t header = 2;
    if (size >= 126) {
        const std::size_t extra = size == 126 ? 2 : 8;
        if (bytes.size() < header + extra) return std::nullopt;
        size = 0;
        for (std::size_t i = 0; i < extra; ++i) size = size << 8 | byte(header + i);
        header += extra;
    }
    if (bytes.size() - header < size) return std::nullopt;
    return ServerFrame{static_cast<wire::Opcode>(byte(0) & 0xF), (byte(0) & 0x40) != 0, bytes.substr(header, size),
                       header + size};
}

/// Writes masked frames, as clients must. Thread: one.
class FrameWriter {
public:
    explicit FrameWriter(std::uint32_t seed) : random_(seed * 2 + 1) {}
    void append(std::string& out, wire::Opcode opcode, std::string_view payload);

private:
    std::uint32_t random_;
};

/// What an upgrade request needs besides its path.
struct Upgrade {
    std::string host;
    std::string path;  ///< with the query
    std::string key;
    std::string subprotocols;
    bool deflate = false;
};
[[nodiscard]] std::string upgrade_request(const Upgrade& upgrade);

struct UpgradeAnswer {
    enum class Kind : std::uint8_t { kIncomplete, kAgreed, kBusy, kRefused };
    Kind kind = Kind::kIncomplete;
    bool deflate = false;
    std::size_t size = 0;  ///< of an agreeing answer's head
    std::string why;       ///< of a refusal
};
[[nodiscard]] UpgradeAnswer read_upgrade_answer(std::string_view bytes, const std::string& key);

/// A close frame's payload, in words.
[[nodiscard]] std::string close_words(std::string_view payload);
/// 0: a close without a code.
[[nodiscard]] unsigned close_code(std::string_view payload) noexcept;

}  // namespace parley::bench
