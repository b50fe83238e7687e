#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bench/dialect.h"
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
    std::string subprotocols;
    bool deflate = false;
};
[[nodiscard]] std::string upgrade_request(const Upgrade& upgrade, std::string_view key);

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

/// A conversation over WebSocket: the upgrade, frames, pings, the close. What the payloads say is another's matter.
/// Thread: one.
class WsConversation : public Conversation {
public:
    explicit WsConversation(std::uint32_t number) : number_(number), writer_(number) {}
    void begin(std::string& out) final;
    std::size_t take(std::string_view bytes, std::string& out, Events& events) final;
    void append_close(std::string& out) final;

protected:
    /// `host`, `path`, `subprotocols` and `deflate` of it are asked for.
    [[nodiscard]] virtual Upgrade upgrade() const = 0;
    virtual void on_open(std::string& out, Events& events) = 0;
    /// A whole message. Nothing more comes after end().
    virtual void on_payload(std::string_view payload, std::string& out, Events& events) = 0;
    /// Where `deflate` was asked for.
    [[nodiscard]] virtual std::string_view inflate(std::string_view) { return {}; }

    void append_text(std::string& out, std::string_view payload) { writer_.append(out, wire::Opcode::kText, payload); }
    void end(Events& events, End end, std::string_view why);
    [[nodiscard]] bool is_over() const noexcept { return phase_ == Phase::kOver; }

private:
    enum class Phase : std::uint8_t { kUpgrading, kTalking, kOver };
    std::size_t take_upgrade(std::string_view bytes, std::string& out, Events& events);
    [[nodiscard]] std::string key() const;

    const std::uint32_t number_;
    FrameWriter writer_;
    Phase phase_ = Phase::kUpgrading;
    bool deflate_ = false;
};

}  // namespace parley::bench
