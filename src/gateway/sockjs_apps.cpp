#include "gateway/sockjs_apps.h"

#include <array>

#include "gateway/core.h"
#include "wire/sockjs.h"
#include "wire/utf8.h"

namespace parley::gateway {

// --- the test services --------------------------------------------------------------------------------------------

void SockJsTestApp::on_open(Link& link) {
    link_ = &link;
    if (what_ == What::kClose) link.close(3000, "Go away!");
}

wire::Flow SockJsTestApp::on_message(std::string_view message) {
    if (link_ != nullptr) link_->send(message);
    return wire::Flow::kContinue;
}

// --- over WebSocket -----------------------------------------------------------------------------------------------

SockJsWsApp::SockJsWsApp(rt::Loop& loop, std::shared_ptr<LinkApp> app, milliseconds heartbeat)
    : loop_(loop), app_(std::move(app)), heartbeat_(heartbeat), beat_(rt::Timer::of<&SockJsWsApp::beat>(this)) {}

void SockJsWsApp::on_open(WsSession& socket) {
    socket_ = &socket;
    socket.send_text(wire::kSockJsOpen);
    loop_.arm(beat_, heartbeat_);
    app_->on_open(*this);
}

wire::Flow SockJsWsApp::on_message(wire::Opcode, std::string_view payload) {
    const auto messages = wire::parse_sockjs_messages(payload, wire::SockJsSource::kWebSocket);
    if (!messages) {
        close(3000, wire::kSockJsBrokenFraming);
        return wire::Flow::kContinue;
    }
    wire::Flow flow = wire::Flow::kContinue;
    for (const std::string& message : *messages) {
        if (socket_ == nullptr) break;
        flow = app_->on_message(message);
    }
    return flow;
}

void SockJsWsApp::on_closed() {
    beat_.cancel();
    app_->on_closed();
    socket_ = nullptr;
}

void SockJsWsApp::send(std::string_view message) {
    std::string frame;
    std::string repaired;
    wire::append_sockjs_array(frame, std::array{wire::as_utf8(message, repaired)});
    socket_->send_text(frame);
}

void SockJsWsApp::send_encoded(const rt::Slice& frames) { socket_->send_encoded(frames); }

void SockJsWsApp::close(std::uint16_t code, std::string_view reason) {
    socket_->send_text(wire::sockjs_close_frame(code, reason));
    socket_->close(code, reason);
}

void SockJsWsApp::keep_alive(SteadyTime now, const WsPatience& patience) { socket_->on_second(now, patience); }

void SockJsWsApp::resume() { socket_->resume(); }

std::size_t SockJsWsApp::queued() const { return socket_->connection().queued(); }

int SockJsWsApp::deflate_bits() const { return socket_->deflate_bits(); }

void SockJsWsApp::beat() {
    socket_->send_text(wire::kSockJsHeartbeat);
    loop_.arm(beat_, heartbeat_);
}

}  // namespace parley::gateway
