#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/units.h"
#include "wire/flow.h"
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
    Bytes max_message = 128_KiB;           ///< of one message, inflated; below 1 GiB
    std::uint32_t max_fragments = 65'536;  ///< before the one that ends the message
};

/// The server's side of RFC 6455 framing, with permessage-deflate: a client's bytes to messages.
/// Thread: one core. Owns: the part of a message that has arrived; at rest only its limits, and no heap.
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
    ~WebSocketDecoder();
    WebSocketDecoder(const WebSocketDecoder&) = delete;
    WebSocketDecoder& operator=(const WebSocketDecoder&) = delete;

    /// Decodes and unmasks in place. A message that is whole in `bytes`, unfragmented and not
    /// compressed, is passed without a copy.
    [[nodiscard]] WebSocketFed feed(std::span<char> bytes, Handler& handler);
    /// Whether part of a message or frame is waiting for the rest.
    [[nodiscard]] bool in_message() const noexcept { return begun_ != nullptr; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

private:
    using Fault = std::optional<WebSocketFault>;
    struct Begun;

    Fault decode(Begun& now, std::span<char> bytes, std::size_t& at, Handler& handler);
    Fault read_header(Begun& now, std::span<char> bytes, std::size_t& at) const;
    Fault open_frame(Begun& now) const;
    Fault check_first_bytes(const Begun& now) const noexcept;
    Fault take_payload(Begun& now, std::span<char> bytes, std::size_t& at, Handler& handler, Flow& flow);
    Fault end_control(Opcode opcode, std::string_view payload, Handler& handler);
    Fault end_message(const Begun& now, std::string_view payload, Handler& handler, Flow& flow);

    Inflater* inflater_;
    std::unique_ptr<Begun> begun_;  ///< null between messages
    std::uint32_t max_message_;
    std::uint32_t max_fragments_;
    bool closed_ = false;
};

}  // namespace parley::wire
