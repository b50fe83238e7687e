#include "gateway/ws_apps.h"

#include "gateway/core.h"
#include "wire/deflate_offer.h"
#include "wire/utf8.h"
#include "wire/websocket_handshake.h"

namespace parley::gateway {
namespace {

std::string joined(const wire::HttpRequest& request, std::string_view name) {
    std::string out;
    for (const auto value : request.headers.all(name)) {
        if (!out.empty()) out += ", ";
        out += value;
    }
    return out;
}

std::string_view stomp_subprotocol(const wire::HttpRequest& request) {
    const std::string offered = joined(request, "sec-websocket-protocol");
    for (const std::string_view& known : wire::kStompSubprotocols) {
        if (!wire::choose_subprotocol(offered, {&known, 1}).empty()) return known;
    }
    return {};
}

}  // namespace

// --- a link -------------------------------------------------------------------------------------------------------

void LinkWsApp::on_open(WsSession& socket) {
    socket_ = &socket;
    app_->on_open(*this);
}

void LinkWsApp::on_closed() {
    app_->on_closed();
    socket_ = nullptr;
}

void LinkWsApp::send(std::string_view message) {
    // Old clients read binary frames as Latin-1: text wherever it can be text.
    const bool text = wire::is_valid_utf8(message);
    socket_->send(text ? wire::Opcode::kText : wire::Opcode::kBinary, message);
}

void LinkWsApp::send_encoded(const rt::Slice& frames) { socket_->send_encoded(frames); }

rt::Connection* LinkWsApp::direct() { return socket_->is_open() ? &socket_->connection() : nullptr; }

void LinkWsApp::close(std::uint16_t code, std::string_view reason) { socket_->close(code, reason); }

void LinkWsApp::keep_alive(SteadyTime now, const WsPatience& patience) { socket_->on_second(now, patience); }

void LinkWsApp::resume() { socket_->resume(); }

std::size_t LinkWsApp::queued() const { return socket_->connection().queued(); }

int LinkWsApp::deflate_bits() const { return socket_->deflate_bits(); }

// --- echo ---------------------------------------------------------------------------------------------------------

void EchoWsApp::on_open(WsSession& socket) {
    socket_ = &socket;
    if (closes_) socket.close(3000, "Go away!");
}

wire::Flow EchoWsApp::on_message(wire::Opcode opcode, std::string_view payload) {
    socket_->send(opcode, payload);
    // Who does not read its echoes does not get to send more.
    return socket_->connection().can_take() ? wire::Flow::kContinue : wire::Flow::kPause;
}

void EchoWsApp::on_drained() { socket_->resume(); }

// --- the handshake ------------------------------------------------------------------------------------------------

bool is_websocket_request(const wire::HttpRequest& request) {
    return wire::wants_websocket(joined(request, "upgrade"));
}

bool is_upgrade_request(const wire::HttpRequest& request) { return wire::wants_upgrade(joined(request, "connection")); }

std::optional<Error> websocket_problem(const wire::HttpRequest& request, int& status) {
    const std::string upgrade = joined(request, "upgrade");
    const std::string connection = joined(request, "connection");
    const std::string version = joined(request, "sec-websocket-version");
    const std::string key = joined(request, "sec-websocket-key");
    if (request.method != "GET" || request.version_minor == 0) {
        status = 400;
        return Error{Code::kBadRequest, "a WebSocket handshake is a GET of HTTP/1.1"};
    }
    const auto refusal = wire::check_handshake({upgrade, connection, version, key});
    if (!refusal) return std::nullopt;
    status = refusal->status;
    return Error{Code::kBadRequest, std::string{refusal->text}};
}

void upgrade_to_websocket(Core& core, const ExchangeRef& exchange, std::unique_ptr<WsApp> app,
                          wire::WebSocketLimits limits, std::string_view subprotocol) {
    const wire::HttpRequest& request = exchange->request();
    const std::string accept = wire::accept_key(joined(request, "sec-websocket-key"));
    wire::HttpResponseHead head;
    head.status = 101;
    head.fields = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept}};
    if (!subprotocol.empty()) head.fields.push_back({"Sec-WebSocket-Protocol", subprotocol});
    WsSession::Compression compression;
    const auto deflate = wire::negotiate_deflate(joined(request, "sec-websocket-extensions"));
    if (deflate) {
        head.fields.push_back({"Sec-WebSocket-Extensions", deflate->response});
        compression = {&core.inflater(), &core.deflaters().at(deflate->server_window_bits),
                       deflate->server_window_bits};
    }
    std::string response;
    wire::append_response(response, head, {});
    exchange->upgrade(response, std::make_unique<WsSession>(std::move(app), limits, compression));
}

void upgrade_to_stomp(Core& core, const ExchangeRef& exchange, auth::Profile profile,
                      std::optional<Identity> identity) {
    const std::string_view chosen = stomp_subprotocol(exchange->request());
    auto stomp = std::make_shared<StompSession>(core, profile, std::move(identity),
                                                wire::version_of_subprotocol(chosen), "websocket");
    auto app = std::make_unique<LinkWsApp>(std::move(stomp));
    upgrade_to_websocket(core, exchange, std::move(app), {.max_message = core.options().message}, chosen);
}

}  // namespace parley::gateway
