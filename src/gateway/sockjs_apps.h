#pragma once
#include <memory>

#include "gateway/link.h"
#include "gateway/ws_session.h"

namespace parley::gateway {

/// The SockJS test services' echo and close.
class SockJsTestApp final : public LinkApp {
public:
    enum class What : std::uint8_t { kEcho, kClose };
    explicit SockJsTestApp(What what) : what_(what) {}
    void on_open(Link& link) override;
    wire::Flow on_message(std::string_view message) override;
    void on_closed() override { link_ = nullptr; }

private:
    const What what_;
    Link* link_ = nullptr;
};

/// SockJS frames in WebSocket messages: `…/websocket` of a session.
class SockJsWsApp final : public WsApp, private Link {
public:
    SockJsWsApp(rt::Loop& loop, std::shared_ptr<LinkApp> app, milliseconds heartbeat);

    void on_open(WsSession& socket) override;
    wire::Flow on_message(wire::Opcode opcode, std::string_view payload) override;
    void on_drained() override { app_->on_drained(); }
    void on_closed() override;

private:
    void send(std::string_view message) override;
    void send_encoded(const rt::Slice& frames) override;
    void close(std::uint16_t code, std::string_view reason) override;
    void keep_alive(SteadyTime now, const WsPatience& patience) override;
    void resume() override;
    [[nodiscard]] std::size_t queued() const override;
    [[nodiscard]] StompFraming framing() const override { return StompFraming::kSockJsWebSocket; }
    [[nodiscard]] int deflate_bits() const override;
    void beat();

    rt::Loop& loop_;
    const std::shared_ptr<LinkApp> app_;
    const milliseconds heartbeat_;
    rt::Timer beat_;
    WsSession* socket_ = nullptr;
};

}  // namespace parley::gateway
