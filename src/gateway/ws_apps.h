#pragma once
#include <memory>
#include <optional>
#include <string>

#include "gateway/exchange.h"
#include "gateway/link.h"
#include "gateway/stomp_session.h"
#include "gateway/ws_session.h"

namespace parley::gateway {

/// A link straight over a WebSocket, one message of it in each. Thread: core-local. Owned by its WsSession.
class LinkWsApp final : public WsApp, private Link {
public:
    explicit LinkWsApp(std::shared_ptr<LinkApp> app) : app_(std::move(app)) {}

    void on_open(WsSession& socket) override;
    wire::Flow on_message(wire::Opcode, std::string_view payload) override { return app_->on_message(payload); }
    void on_drained() override { app_->on_drained(); }
    void on_too_large() override { app_->on_too_large(); }
    void on_closed() override;

private:
    void send(std::string_view message) override;
    void send_encoded(const rt::Slice& frames) override;
    [[nodiscard]] rt::Connection* direct() override;
    void close(std::uint16_t code, std::string_view reason) override;
    void keep_alive(SteadyTime now, const WsPatience& patience) override;
    void resume() override;
    [[nodiscard]] std::size_t queued() const override;
    [[nodiscard]] StompFraming framing() const override { return StompFraming::kWebSocket; }
    [[nodiscard]] int deflate_bits() const override;

    WsSession* socket_ = nullptr;
    const std::shared_ptr<LinkApp> app_;
};

/// Sends every message back: for conformance suites.
class EchoWsApp final : public WsApp {
public:
    /// `closes`: it closes at once instead.
    explicit EchoWsApp(bool closes = false) : closes_(closes) {}
    void on_open(WsSession& socket) override;
    wire::Flow on_message(wire::Opcode opcode, std::string_view payload) override;
    void on_drained() override;
    void on_closed() override { socket_ = nullptr; }

private:
    const bool closes_;
    WsSession* socket_ = nullptr;
};

/// Answers a WebSocket handshake that has been judged: 101 and the session, or 400/426 with the reason.
/// `subprotocol`: the one of the client's that is spoken inside, or empty.
void upgrade_to_websocket(Core& core, const ExchangeRef& exchange, std::unique_ptr<WsApp> app,
                          wire::WebSocketLimits limits, std::string_view subprotocol);
/// The same for STOMP, in the best version among the sub-protocols the client offers, whatever its order.
void upgrade_to_stomp(Core& core, const ExchangeRef& exchange, auth::Profile profile, std::optional<Identity> identity);
/// What the request asks to be refused for, before anything else is looked at. Empty: it is a good upgrade request.
[[nodiscard]] std::optional<Error> websocket_problem(const wire::HttpRequest& request, int& status);
[[nodiscard]] bool is_websocket_request(const wire::HttpRequest& request);
/// Whether its Connection says so too.
[[nodiscard]] bool is_upgrade_request(const wire::HttpRequest& request);

}  // namespace parley::gateway
