#pragma once
#include <memory>
#include <optional>

#include "gateway/sockjs_app.h"
#include "gateway/stomp_session.h"
#include "gateway/stomp_transport.h"
#include "gateway/ws_session.h"

namespace parley::gateway {

/// STOMP over SockJS. Thread: core-local. Owned by its SockJS session.
class StompSockJsApp final : public SockJsApp, public StompTransport {
public:
    StompSockJsApp(Core& core, auth::Profile profile, std::optional<Identity> identity, std::string transport_name);

    void on_open(SockJsLink& link) override { link_ = &link; }
    wire::Flow on_message(std::string_view message) override { return session_->feed(message); }
    void on_drained() override { session_->on_drained(); }
    void on_closed() override;

private:
    void send_frame(std::string_view frame) override;
    void send_encoded(const rt::Slice& frames) override;
    void close(std::uint16_t code, std::string_view reason) override;
    void keep_alive(SteadyTime now, const WsPatience& patience) override;
    void resume() override;
    [[nodiscard]] std::size_t queued() const override { return link_ == nullptr ? 0 : link_->queued(); }
    [[nodiscard]] StompFraming framing() const override;
    [[nodiscard]] int deflate_bits() const override { return link_ == nullptr ? 0 : link_->deflate_bits(); }

    SockJsLink* link_ = nullptr;
    std::shared_ptr<StompSession> session_;
};

/// The SockJS test services' echo and close.
class SockJsTestApp final : public SockJsApp {
public:
    enum class What : std::uint8_t { kEcho, kClose };
    explicit SockJsTestApp(What what) : what_(what) {}
    void on_open(SockJsLink& link) override;
    wire::Flow on_message(std::string_view message) override;
    void on_closed() override { link_ = nullptr; }

private:
    const What what_;
    SockJsLink* link_ = nullptr;
};

/// SockJS frames in WebSocket messages: `…/websocket` of a session.
class SockJsWsApp final : public WsApp, private SockJsLink {
public:
    SockJsWsApp(rt::Loop& loop, std::unique_ptr<SockJsApp> app, milliseconds heartbeat);

    void on_open(WsSession& socket) override;
    wire::Flow on_message(wire::Opcode opcode, std::string_view payload) override;
    void on_drained() override { app_->on_drained(); }
    void on_closed() override;

private:
    void send(std::string_view message) override;
    void send_encoded(const rt::Slice& frames) override;
    void close(int code, std::string_view reason) override;
    void keep_alive(SteadyTime now, const WsPatience& patience) override;
    void resume() override;
    [[nodiscard]] std::size_t queued() const override;
    [[nodiscard]] StompFraming framing() const override { return StompFraming::kSockJsWebSocket; }
    [[nodiscard]] int deflate_bits() const override;
    void beat();

    rt::Loop& loop_;
    std::unique_ptr<SockJsApp> app_;
    const milliseconds heartbeat_;
    rt::Timer beat_;
    WsSession* socket_ = nullptr;
};

}  // namespace parley::gateway
