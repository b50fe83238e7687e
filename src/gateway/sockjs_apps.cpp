#include "gateway/sockjs_apps.h"

#include <array>

#include "gateway/core.h"
#include "wire/sockjs.h"
#include "wire/utf8.h"

namespace parley::gateway {

// --- STOMP --------------------------------------------------------------------------------------------------------

StompSockJsApp::StompSockJsApp(Core& core, auth::Profile profile, std::optional<Identity> identity,
                               std::string transport_name)
    : session_(std::make_shared<StompSession>(core, *this, profile, std::move(identity), std::nullopt,
                                              std::move(transport_name))) {}

void StompSockJsApp::on_closed() {
    link_ = nullptr;
    session_->on_closed();
}

void StompSockJsApp::send_frame(std::string_view frame) {
    if (link_ == nullptr) return;
    if (wire::is_valid_utf8(frame)) {
        link_->send(frame);
        return;
    }
    // SockJS carries text only: bytes that are none become U+FFFD.
    std::string text;
    for (std::size_t i = 0; i < frame.size();) {
        std::size_t length = 1;
        while (length < 5 && i + length <= frame.size() && !wire::is_valid_utf8(frame.substr(i, length))) ++length;
        if (length < 5 && i + length <= frame.size()) {
            text.append(frame, i, length);
            i += length;
        } else {
            text += "\xEF\xBF\xBD";
            ++i;
        }
    }
    link_->send(text);
}

void StompSockJsApp::send_encoded(const rt::Slice& frames) {
    if (link_ != nullptr) link_->send_encoded(frames);
}

void StompSockJsApp::close(std::uint16_t code, std::string_view reason) {
    if (link_ != nullptr) link_->close(code, reason);
}

void StompSockJsApp::keep_alive(SteadyTime now, const WsPatience& patience) {
    if (link_ != nullptr) link_->keep_alive(now, patience);
}

void StompSockJsApp::resume() {
    if (link_ != nullptr) link_->resume();
}

StompFraming StompSockJsApp::framing() const { return link_ == nullptr ? StompFraming::kSockJsHttp : link_->framing(); }

// --- the test services --------------------------------------------------------------------------------------------

void SockJsTestApp::on_open(SockJsLink& link) {
    link_ = &link;
    if (what_ == What::kClose) link.close(3000, "Go away!");
}

wire::Flow SockJsTestApp::on_message(std::string_view message) {
    if (link_ != nullptr) link_->send(message);
    return wire::Flow::kContinue;
}

// --- over WebSocket -----------------------------------------------------------------------------------------------

SockJsWsApp::SockJsWsApp(rt::Loop& loop, std::unique_ptr<SockJsApp> app, milliseconds heartbeat)
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
    socket_ = nullptr;
    beat_.cancel();
    app_->on_closed();
}

void SockJsWsApp::send(std::string_view message) {
    if (socket_ == nullptr) return;
    std::string frame;
    const std::array<std::string_view, 1> one{message};
    wire::append_sockjs_array(frame, one);
    socket_->send_text(frame);
}

void SockJsWsApp::send_encoded(const rt::Slice& frames) {
    if (socket_ != nullptr) socket_->send_encoded(frames);
}

void SockJsWsApp::close(int code, std::string_view reason) {
    if (socket_ == nullptr) return;
    WsSession& socket = *socket_;
    socket.send_text(wire::sockjs_close_frame(code, reason));
    socket.close(static_cast<std::uint16_t>(code), reason);
}

void SockJsWsApp::keep_alive(SteadyTime now, const WsPatience& patience) {
    if (socket_ != nullptr) socket_->on_second(now, patience);
}

void SockJsWsApp::resume() {
    if (socket_ != nullptr) socket_->resume();
}

std::size_t SockJsWsApp::queued() const { return socket_ == nullptr ? 0 : socket_->connection().queued(); }

int SockJsWsApp::deflate_bits() const { return socket_ == nullptr ? 0 : socket_->deflate_bits(); }

void SockJsWsApp::beat() {
    if (socket_ == nullptr) return;
    socket_->send_text(wire::kSockJsHeartbeat);
    loop_.arm(beat_, heartbeat_);
}

}  // namespace parley::gateway
