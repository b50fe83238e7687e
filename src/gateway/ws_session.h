#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "rt/connection.h"
#include "wire/deflate.h"
#include "wire/websocket.h"

namespace parley::gateway {

class WsSession;

/// How long a peer may be silent, and how long it may take over one message.
struct WsPatience {
    milliseconds ping{30'000};  ///< 0: for ever
    milliseconds message{60'000};
};

/// What speaks inside a WebSocket: STOMP, SockJS, an echo. Owned by its WsSession; every call on the loop.
class WsApp {
public:
    virtual ~WsApp() = default;
    virtual void on_open(WsSession& socket) = 0;
    /// kPause: nothing more until WsSession::resume().
    virtual wire::Flow on_message(wire::Opcode opcode, std::string_view payload) = 0;
    virtual void on_drained() {}
    /// A message above the limit came; the socket closes with 1009 right after.
    virtual void on_too_large() {}
    /// The socket is closing or gone; the WsSession must not be used after this returns. Once.
    virtual void on_closed() = 0;
};

/// One WebSocket after its handshake: RFC 6455 framing around a WsApp.
///
/// Thread: core-local. Owned by its connection; owns the app.
/// Order:  messages leave in the order they were sent; a close frame is the last.
/// Limit:  WsPatience, where the app's owner calls on_second().
/// Fails:  a peer that breaks the protocol gets the RFC's close code, one that is too slow 4408 behind
///         what it has not read, then the TCP connection ends.
class WsSession final : public rt::Connection::Handler, private wire::WebSocketDecoder::Handler {
public:
    struct Compression {
        wire::Inflater* inflater = nullptr;  ///< null: permessage-deflate was not agreed
        wire::Deflater* deflater = nullptr;
        int window_bits = 0;
    };

    WsSession(std::unique_ptr<WsApp> app, wire::WebSocketLimits limits, Compression compression);
    ~WsSession() override;

    void send(wire::Opcode opcode, std::string_view payload);
    void send_text(std::string_view payload) { send(wire::Opcode::kText, payload); }
    /// Frames that are encoded already, as a WireForm makes them.
    void send_encoded(rt::Slice frames);
    /// Sends a close frame, once, and ends the connection.
    void close(std::uint16_t code, std::string_view reason = {});
    void resume();
    /// About once a second. May close the socket.
    void on_second(SteadyTime now, const WsPatience& patience);
    [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr && !closing_; }
    /// 0: not agreed.
    [[nodiscard]] int deflate_bits() const noexcept { return deflate_bits_; }
    [[nodiscard]] rt::Connection& connection() noexcept { return *connection_; }

    void on_open(rt::Connection& connection) override;
    std::size_t on_data(rt::Connection& connection, std::span<char> bytes) override;
    void on_end_of_input(rt::Connection& connection) override;
    void on_drained(rt::Connection& connection) override;
    void on_stalled(rt::Connection& connection) override;
    void on_closed(rt::Connection& connection) override;

private:
    wire::Flow on_message(wire::Opcode opcode, std::string_view payload) override;
    void on_ping(std::string_view payload) override;
    void on_pong(std::string_view) override {}
    void on_close(std::uint16_t code, std::string_view reason) override;
    void send_frame(const wire::FrameHeader& header, std::string_view payload);
    void tell_app_closed();

    const std::unique_ptr<WsApp> app_;
    rt::Connection* connection_ = nullptr;
    wire::WebSocketDecoder decoder_;
    wire::Deflater* const deflater_;
    std::unique_ptr<std::string> late_pong_;  ///< waits until the socket drains; null: none does
    const std::uint8_t deflate_bits_;
    bool closing_ = false;
    bool app_told_ = false;
    bool pinged_ = false;      ///< since the peer was last heard
    std::uint16_t heard_ = 0;  ///< in whole seconds of the loop's time, wrapping around: when anything last came
    std::uint16_t begun_ = 0;  ///< likewise: when the message that is arriving began
};

}  // namespace parley::gateway
