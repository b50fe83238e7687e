#include "gateway/router.h"

#include <openssl/crypto.h>

#include "gateway/admin_api.h"
#include "gateway/broadcast.h"
#include "gateway/core.h"
#include "gateway/handshake.h"
#include "gateway/health.h"
#include "gateway/rest.h"
#include "gateway/sockjs_headers.h"
#include "gateway/ws_apps.h"
#include "parley_assets.h"

namespace parley::gateway {
namespace {

constexpr Bytes kEchoMessage{16 * 1024 * 1024};
constexpr std::size_t kTestResponse = 4 * 1024;

SockJsService test_service(std::string prefix, SockJsService::Speaks speaks) {
    SockJsService service;
    service.prefix = std::move(prefix);
    service.speaks = speaks;
    service.any_origin = true;
    service.options.heartbeat = seconds{25};
    service.options.response_limit = kTestResponse;
    return service;
}

}  // namespace

Router::Router(Core& core) : core_(core), direct_(core), rest_(std::make_unique<Rest>(core)) {
    using Speaks = SockJsService::Speaks;
    const auto stomp_at = [this](std::string prefix, auth::Profile profile) {
        SockJsService service;
        service.prefix = std::move(prefix);
        service.profile = profile;
        service.cookie_needed = core_.options().sockjs_cookie_needed;
        service.options.heartbeat = core_.options().sockjs_heartbeat;
        services_.push_back(std::move(service));
    };
    stomp_at("/ws-chat", auth::Profile::kGame);
    if (core.options().public_profile) stomp_at("/ws", auth::Profile::kPublic);
    if (!core.options().test_endpoints) return;
    stomp_at("/stomp", auth::Profile::kBroker);
    services_.push_back(test_service("/sockjs/echo", Speaks::kEcho));
    services_.push_back(test_service("/sockjs/close", Speaks::kClose));
    services_.push_back(test_service("/sockjs/disabled_websocket_echo", Speaks::kEcho));
    services_.back().websocket = false;
    services_.push_back(test_service("/sockjs/cookie_needed_echo", Speaks::kEcho));
    services_.back().cookie_needed = true;
}

Router::~Router() = default;

Bytes Router::body_limit(const wire::HttpRequest& request) const {
    // A SockJS payload is an array of messages with everything escaped.
    for (const SockJsService& service : services_) {
        if (request.path.starts_with(service.prefix) && request.path.ends_with("_send")) {
            return Bytes{8 * core_.options().message.count};
        }
    }
    return rest_->body_limit(request);
}

void Router::serve(ExchangeRef exchange) {
    const wire::HttpRequest& request = exchange->request();
    if (!admit_host(exchange)) return;
    if (request.method == "CONNECT" || request.method == "TRACE") {
        exchange->refuse(501, {Code::kMethodNotAllowed, "this method is not implemented"});
        return;
    }
    if (serve_endpoint(exchange) || serve_health(exchange, core_.options().loopback)) return;
    if (core_.memory().is_shut()) {
        exchange->refuse({Code::kServerFull, "the server is short of memory"});
        return;
    }
    if (rest_->serve(exchange) || serve_page(exchange)) return;
    exchange->refuse({Code::kNotFound, "there is nothing at this path"});
}

bool Router::admit_host(const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    const bool names_us = host_is_this_machine(request) || host_configured(core_.options(), request);
    if (!exchange->is_local() || names_us) return true;
    exchange->refuse({Code::kOriginForbidden, "this listener is for this machine only; Host names another"});
    return false;
}

bool Router::serve_endpoint(const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    if (request.path == "/echo" && core_.options().test_endpoints) {
        echo(exchange);
        return true;
    }
    if (request.path == "/ws/direct") {
        direct_.serve(exchange);
        return true;
    }
    if (request.path == "/room" && core_.options().public_profile) {
        core_.broadcast().serve(exchange);
        return true;
    }
    for (const SockJsService& service : services_) {
        const std::string_view path = request.path;
        if (!path.starts_with(service.prefix)) continue;
        const std::string_view rest = path.substr(service.prefix.size());
        if (!rest.empty() && rest.front() != '/') continue;
        const bool stomp_here = service.speaks == SockJsService::Speaks::kStomp && rest.empty();
        if (stomp_here && (is_websocket_request(request) || service.profile == auth::Profile::kGame)) {
            if (is_websocket_request(request) || !request.query.empty()) {
                stomp(exchange, service.profile);
                return true;
            }
        }
        core_.sockjs().serve(exchange, service, rest);
        return true;
    }
    return false;
}

void Router::stomp(const ExchangeRef& exchange, auth::Profile profile) {
    int status = 400;
    if (is_websocket_request(exchange->request())) {
        if (const auto problem = websocket_problem(exchange->request(), status)) {
            if (status == 426) exchange->add_field("Sec-WebSocket-Version", "13");
            exchange->refuse(status, *problem);
            return;
        }
    }
    judge_handshake(
        core_, exchange, profile,
        [this, exchange, profile](std::optional<HandshakeRefusal> refusal, std::optional<Identity> identity) {
            if (refusal) {
                core_.services().counters.refused(refusal->error.code).add();
                exchange->refuse(refusal->status, refusal->error, refusal->wait);
                return;
            }
            if (!is_websocket_request(exchange->request())) {
                exchange->add_field("Sec-WebSocket-Version", "13");
                exchange->add_field("Upgrade", "websocket");
                exchange->refuse(426, {Code::kBadRequest, "this is a WebSocket endpoint"});
                return;
            }
            upgrade_to_stomp(core_, exchange, profile, std::move(identity));
        });
}

void Router::echo(const ExchangeRef& exchange) {
    int status = 400;
    if (const auto problem = websocket_problem(exchange->request(), status)) {
        if (status == 426) exchange->add_field("Sec-WebSocket-Version", "13");
        exchange->refuse(status, *problem);
        return;
    }
    upgrade_to_websocket(core_, exchange, std::make_unique<EchoWsApp>(), {.max_message = kEchoMessage}, {});
}

void Router::serve_admin(const ExchangeRef& exchange) {
    if (!admit_host(exchange) || serve_health(exchange, true)) return;
    if (!exchange->request().path.starts_with("/admin/api/")) {
        exchange->refuse({Code::kNotFound, "there is nothing at this path"});
        return;
    }
    const std::string expected = "Bearer " + core_.options().admin_token;
    const std::string given{exchange->request().headers.find("authorization").value_or("")};
    // In constant time: how much of it is right must not show.
    if (given.size() != expected.size() || CRYPTO_memcmp(given.data(), expected.data(), given.size()) != 0) {
        exchange->refuse({Code::kAuthRequired, "the admin token is required"});
    } else if (!serve_admin_api(core_, exchange)) {
        exchange->refuse({Code::kNotFound, "there is nothing at this path"});
    }
}

bool Router::serve_health(const ExchangeRef& exchange, bool with_metrics) {
    const Services& services = core_.services();
    return gateway::serve_health(exchange, services.readiness, with_metrics ? &services.metrics : nullptr);
}

bool Router::serve_page(const ExchangeRef& exchange) {
    const wire::HttpRequest& request = exchange->request();
    const std::string_view name =
        request.path == "/" ? std::string_view{"index.html"} : std::string_view{request.path}.substr(1);
    for (const assets::Asset& asset : assets::all()) {
        if (asset.name != name) continue;
        if (request.method != "GET" && request.method != "HEAD") {
            refuse_method(exchange, "GET, HEAD");
            return true;
        }
        std::vector<wire::HttpField> fields{
            {"Content-Type", asset.content_type},
            {"ETag", asset.etag},
            // A file with its version in the name never changes.
            {"Cache-Control", asset.name.starts_with("sockjs-") ? kSockJsCacheYear : "no-cache"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"},
            {"X-Frame-Options", "DENY"},
            {"Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}};
        if (request.headers.find("if-none-match") == asset.etag) {
            exchange->respond(304, std::move(fields), "");
        } else {
            exchange->respond(200, std::move(fields), asset.body);
        }
        return true;
    }
    return false;
}

}  // namespace parley::gateway
