#include "gateway/ws_session.h"

#include <array>
#include <utility>

namespace parley::gateway {
namespace {
/// Below this a compressed message is hardly smaller and costs both sides.
constexpr std::size_t kWorthCompressing = 128;
/// Receipts and the like are put together on the stack.
constexpr std::size_t kSmallFrame = 512;

std::uint16_t second_of(SteadyTime time) {
    return static_cast<std::uint16_t>(std::chrono::floor<seconds>(time.time_since_epoch()).count());
}

/// Whether more than `limit` has passed. Right for limits of up to 18 hours that are looked at each second.
bool is_past(milliseconds limit, std::uint16_t since, std::uint16_t now) {
    return seconds{static_cast<std::uint16_t>(now - since)} > limit;
}
}  // namespace

WsSession::WsSession(std::unique_ptr<WsApp> app, wire::WebSocketLimits limits, Compression compression)
    : app_(std::move(app)),
      decoder_(limits, compression.inflater),
      deflater_(compression.deflater),
      deflate_bits_(static_cast<std::uint8_t>(compression.window_bits)) {}

WsSession::~WsSession() = default;

void WsSession::on_open(rt::Connection& connection) {
    connection_ = &connection;
    heard_ = second_of(connection.loop().now());
    app_->on_open(*this);
}

void WsSession::send(wire::Opcode opcode, std::string_view payload) {
    if (!is_open()) return;
    if (deflater_ != nullptr && payload.size() >= kWorthCompressing) {
        std::string packed;
        deflater_->compress(payload, packed);
        send_frame(wire::frame_header(opcode, packed.size(), wire::Compressed::kYes), packed);
    } else {
        send_frame(wire::frame_header(opcode, payload.size()), payload);
    }
}

void WsSession::send_frame(const wire::FrameHeader& header, std::string_view payload) {
    std::array<char, kSmallFrame> small;
    const std::string_view head = header.view();
    if (head.size() + payload.size() <= small.size()) {
        head.copy(small.data(), head.size());
        payload.copy(small.data() + head.size(), payload.size());
        connection_->send_copy({small.data(), head.size() + payload.size()});
        return;
    }
    std::string frame;
    frame.reserve(head.size() + payload.size());
    frame += head;
    frame += payload;
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

void WsSession::on_second(SteadyTime time, const WsPatience& patience) {
    if (!is_open()) return;
    const std::uint16_t now = second_of(time);
    // Nobody listens; but a message that waits for memory has memory itself, and no longer than others.
    if (connection_->is_paused()) heard_ = now;
    if (connection_->is_paused() && !connection_->waits_for_memory()) begun_ = now;
    if (decoder_.in_message() && is_past(patience.message, begun_, now)) {
        close(wire::kCloseTooSlow, "a message took too long");
        return;
    }
    // A socket that does not drain has its own limit, and a ping would not get through.
    if (connection_->queued() > 0) heard_ = now;
    if (patience.ping == milliseconds{0}) return;
    if (!pinged_ && is_past(patience.ping, heard_, now)) {
        pinged_ = true;
        // Asked late, it has as long to answer as others.
        heard_ = static_cast<std::uint16_t>(now - std::chrono::floor<seconds>(patience.ping).count() - 1);
        send(wire::Opcode::kPing, {});
    } else if (is_past(2 * patience.ping, heard_, now)) {
        close(wire::kCloseTooSlow, "nothing was heard");
    }
}

std::size_t WsSession::on_data(rt::Connection& connection, std::span<char> bytes) {
    heard_ = second_of(connection.loop().now());
    pinged_ = false;
    if (!decoder_.in_message()) begun_ = heard_;
    const auto fed = decoder_.feed(bytes, *this);
    if (fed.fault) {
        if (fed.fault->close_code == wire::kCloseTooBig && is_open()) app_->on_too_large();
        close(fed.fault->close_code, fed.fault->text);
        return bytes.size();
    }
    if (decoder_.in_message() && is_open() && connection.set().is_short_of_memory()) connection.wait_for_memory();
    return fed.consumed;
}

wire::Flow WsSession::on_message(wire::Opcode opcode, std::string_view payload) {
    if (closing_) return wire::Flow::kContinue;
    begun_ = heard_;  // what comes behind it belongs to the next
    const wire::Flow flow = app_->on_message(opcode, payload);
    if (flow == wire::Flow::kPause && is_open()) connection_->pause_reading();
    return flow;
}

void WsSession::on_ping(std::string_view payload) {
    if (!is_open()) return;
    // Who does not read gets the answer to its last ping only (RFC 6455, 5.5.3).
    if (!connection_->can_take()) {
        late_pong_ = std::make_unique<std::string>(wire::encode_control(wire::Opcode::kPong, payload));
        return;
    }
    connection_->send_copy(wire::encode_control(wire::Opcode::kPong, payload));
}

void WsSession::on_close(std::uint16_t code, std::string_view) { close(code); }

void WsSession::on_end_of_input(rt::Connection& connection) { connection.abort(); }

void WsSession::on_drained(rt::Connection&) {
    if (!is_open()) return;
    if (const auto pong = std::move(late_pong_)) connection_->send_copy(*pong);
    app_->on_drained();
}

void WsSession::on_stalled(rt::Connection&) { close(wire::kCloseTooSlow, "the socket took nothing"); }

void WsSession::on_closed(rt::Connection&) {
    tell_app_closed();
    connection_ = nullptr;
}

}  // namespace parley::gateway
