#include "gateway/ws_session.h"

#include <utility>

namespace parley::gateway {
namespace {
/// Below this a compressed message is hardly smaller and costs both sides.
constexpr std::size_t kWorthCompressing = 128;
}  // namespace

WsSession::WsSession(std::unique_ptr<WsApp> app, wire::WebSocketLimits limits, Compression compression)
    : app_(std::move(app)), decoder_(limits, compression.inflater), compression_(compression) {}

WsSession::~WsSession() = default;

void WsSession::on_open(rt::Connection& connection) {
    connection_ = &connection;
    app_->on_open(*this);
}

void WsSession::send(wire::Opcode opcode, std::string_view payload) {
    if (!is_open()) return;
    std::string frame;
    if (compression_.deflater != nullptr && payload.size() >= kWorthCompressing) {
        std::string packed;
        compression_.deflater->compress(payload, packed);
        frame.reserve(packed.size() + 10);
        wire::append_frame_header(frame, opcode, packed.size(), wire::Compressed::kYes);
        frame += packed;
    } else {
        frame.reserve(payload.size() + 10);
        wire::append_frame_header(frame, opcode, payload.size());
        frame += payload;
    }
    connection_->send_copy(frame);
}

void WsSession::send_encoded(rt::Slice frames) {
    if (is_open()) connection_->send(std::move(frames));
}

void WsSession::close(std::uint16_t code, std::string_view reason) {
    if (!is_open()) return;
    connection_->send_copy(wire::encode_close(code, reason));
    closing_ = true;
    connection_->finish();
    tell_app_closed();
}

void WsSession::tell_app_closed() {
    if (app_told_) return;
    app_told_ = true;
    app_->on_closed();
}

void WsSession::resume() {
    if (connection_ != nullptr) connection_->resume_reading();
}

std::size_t WsSession::on_data(rt::Connection&, std::span<char> bytes) {
    const auto fed = decoder_.feed(bytes, *this);
    if (fed.fault) {
        if (fed.fault->close_code == wire::kCloseTooBig && is_open()) app_->on_too_large();
        close(fed.fault->close_code, fed.fault->text);
        return bytes.size();
    }
    return fed.consumed;
}

wire::Flow WsSession::on_message(wire::Opcode opcode, std::string_view payload) {
    if (closing_) return wire::Flow::kContinue;
    const wire::Flow flow = app_->on_message(opcode, payload);
    if (flow == wire::Flow::kPause && is_open()) connection_->pause_reading();
    return flow;
}

void WsSession::on_ping(std::string_view payload) {
    if (!is_open()) return;
    // Who does not read gets the answer to its last ping only (RFC 6455, 5.5.3).
    if (!connection_->can_take()) {
        late_pong_ = wire::encode_control(wire::Opcode::kPong, payload);
        return;
    }
    connection_->send_copy(wire::encode_control(wire::Opcode::kPong, payload));
}

void WsSession::on_close(std::uint16_t code, std::string_view) { close(code); }

void WsSession::on_end_of_input(rt::Connection& connection) { connection.abort(); }

void WsSession::on_drained(rt::Connection&) {
    if (!is_open()) return;
    if (!late_pong_.empty()) connection_->send_copy(std::exchange(late_pong_, {}));
    app_->on_drained();
}

void WsSession::on_closed(rt::Connection&) {
    tell_app_closed();
    connection_ = nullptr;
}

}  // namespace parley::gateway
