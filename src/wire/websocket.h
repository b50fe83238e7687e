#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "wire/flow.h"
#include "wire/utf8.h"
#include "wire/websocket_frame.h"

namespace parley::wire {

class Inflater;

/// Why a connection must be closed. `text` is a constant.
struct WebSocketFault {
    std::uint16_t close_code;  ///< 1002, 1007 or 1009
    std::string_view text;
};

/// What one feed() did. Bytes after `consumed` are untouched and belong to the next feed().
struct WebSocketFed {
    std::size_t consumed = 0;
    std::optional<WebSocketFault> fault;
};

struct WebSocketLimits {
    Bytes max_message = 128_KiB;  ///< of one message, inflated; below 1 GiB
    std::uint32_t max_fragments = 65'536;
};

/// The server's side of RFC 6455 framing, with permessage-deflate: a client's bytes to messages.
/// Thread: one core. Owns: the part of a message that has arrived (heap only while there is one).
/// Borrows: the Inflater of its thread. Order: events come in the order of the bytes, and the same
/// ones however the bytes are cut. Fails: with a WebSocketFault; then, and after a close frame,
/// it swallows whatever else arrives.
class WebSocketDecoder {
public:
    /// The views passed live until the call returns. A handler must not destroy the decoder, nor
    /// feed it or another that borrows the same Inflater.
    class Handler {
    public:
        virtual ~Handler() = default;
        /// kText (valid UTF-8) or kBinary. kPause: feed() returns after this message.
        virtual Flow on_message(Opcode opcode, std::string_view payload) = 0;
        virtual void on_ping(std::string_view payload) = 0;
        virtual void on_pong(std::string_view payload) = 0;
        /// kCloseNoStatus when the client gave no code.
        virtual void on_close(std::uint16_t code, std::string_view reason) = 0;
    };

    /// `inflater`: where permessage-deflate was agreed, else nullptr.
    explicit WebSocketDecoder(WebSocketLimits limits = {}, Inflater* inflater = nullptr) noexcept;

    /// Decodes and unmasks in place. A message that is whole in `bytes`, unfragmented and not
    /// compressed, is passed without a copy.
    [[nodiscard]] WebSocketFed feed(std::span<char> bytes, Handler& handler);
    /// Whether part of a message or frame is waiting for the rest.
    [[nodiscard]] bool in_message() const noexcept {
        return !closed_ && (in_message_ || header_size_ > 0 || in_payload_);
    }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

private:
    using Fault = std::optional<WebSocketFault>;

    Fault read_header(std::span<char> bytes, std::size_t& at);
    Fault open_frame();
    Fault check_first_bytes() const noexcept;
    Fault take_payload(std::span<char> bytes, std::size_t& at, Handler& handler, Flow& flow);
    Fault end_control(std::string_view payload, Handler& handler);
    Fault end_message(Opcode opcode, std::string_view payload, bool compressed, Handler& handler, Flow& flow);
    [[nodiscard]] std::size_t max_raw() const noexcept;
    [[nodiscard]] bool is_control() const noexcept { return (static_cast<unsigned>(opcode_) & 8U) != 0; }

    Inflater* inflater_;
    std::uint32_t max_message_;
    std::uint32_t max_fragments_;
    std::uint32_t fragments_ = 0;
    std::uint32_t remaining_ = 0;  ///< payload bytes of this frame still to come
    std::uint32_t frame_size_ = 0;
    std::array<unsigned char, 4> key_{};
    std::array<unsigned char, 14> header_{};
    std::uint8_t header_size_ = 0;   ///< bytes of the header that have arrived
    Opcode opcode_ = Opcode::kText;  ///< of this frame
    Opcode message_opcode_ = Opcode::kText;
    Utf8Validator utf8_;
    bool fin_ = false;
    bool in_payload_ = false;
    bool in_message_ = false;  ///< a data frame began a message that has not ended
    bool compressed_ = false;  ///< the message
    bool closed_ = false;
    std::string message_;  ///< what has arrived of a message; empty without heap at rest
    std::string control_;  ///< what has arrived of a control frame
};

}  // namespace parley::wire
