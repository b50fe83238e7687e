#include "gateway/sockjs_sessions.h"

#include <openssl/rand.h>

#include "gateway/handshake.h"
#include "gateway/sockjs_apps.h"
#include "gateway/ws_apps.h"
#include "wire/cookie.h"
#include "wire/query.h"

namespace parley::gateway {
namespace {

using wire::SockJsResource;
using wire::SockJsTransport;

constexpr std::string_view kNoCache = "no-store, no-cache, no-transform, must-revalidate, max-age=0";

/// What of the query must stay the same: browsers add cache busters.
std::string query_identity(const wire::HttpRequest& request) {
    const auto query = wire::QueryParams::parse(request.query);
    if (!query) return {};
    return query->get("token").value_or("") + '\n' + query->get("roomId").value_or("");
}

std::uint32_t entropy() {
    std::uint32_t value = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
    return value;
}

}  // namespace

SockJsSessions::SockJsSessions(Core& core) : core_(core) {}
SockJsSessions::~SockJsSessions() = default;

void SockJsSessions::on_second() {
    std::erase_if(sessions_, [now = core_.loop().now()](const auto& entry) { return entry.second->is_done(now); });
}

bool SockJsSessions::add_cors(const ExchangeRef& exchange, const SockJsService& service) {
    const auto& request = exchange->request();
    if (!service.any_origin && !origin_allowed(core_.options(), request)) {
        exchange->refuse({Code::kOriginForbidden, "this origin is not allowed"});
        return false;
    }
    const auto origin = request.headers.find("origin");
    exchange->add_field("Access-Control-Allow-Origin", origin ? std::string{*origin} : "*");
    exchange->add_field("Vary", "Origin");
    if (origin) exchange->add_field("Access-Control-Allow-Credentials", "true");
    if (const auto wanted = request.headers.find("access-control-request-headers")) {
        exchange->add_field("Access-Control-Allow-Headers", std::string{*wanted});
    }
    if (service.cookie_needed) {
        std::string value = "dummy";
        for (const auto header : request.headers.all("cookie")) {
            if (const auto cookie = wire::cookie(header, "JSESSIONID")) value = *cookie;
        }
        exchange->add_field("Set-Cookie", "JSESSIONID=" + value + "; Path=/");
    }
    return true;
}

void SockJsSessions::serve(const ExchangeRef& exchange, const SockJsService& service, std::string_view rest) {
    const auto path = wire::parse_sockjs_path(rest);
    if (!path) {
        exchange->refuse({Code::kNotFound, "no such SockJS address"});
        return;
    }
    const std::string& method = exchange->request().method;
    switch (path->resource) {
        case SockJsResource::kGreeting:
            exchange->respond(200, {{"Content-Type", "text/plain; charset=UTF-8"}}, wire::kSockJsGreeting);
            return;
        case SockJsResource::kInfo: info(exchange, service); return;
        case SockJsResource::kRawWebSocket: websocket(exchange, service, true); return;
        case SockJsResource::kIframe: exchange->refuse({Code::kNotFound, "no such SockJS address"}); return;
        case SockJsResource::kSession: break;
    }
    if (path->transport == SockJsTransport::kWebSocket) {
        if (service.websocket) {
            websocket(exchange, service, false);
        } else {
            exchange->refuse({Code::kNotFound, "websocket is disabled here"});
        }
        return;
    }
    if (path->transport != SockJsTransport::kXhr && path->transport != SockJsTransport::kXhrStreaming &&
        path->transport != SockJsTransport::kXhrSend) {
        exchange->refuse({Code::kNotFound, "no such SockJS transport"});
        return;
    }
    if (!add_cors(exchange, service)) return;
    if (method == "OPTIONS") {
        exchange->respond(204,
                          {{"Access-Control-Allow-Methods", "OPTIONS, POST"},
                           {"Access-Control-Max-Age", "31536000"},
                           {"Cache-Control", "public, max-age=31536000"},
                           {"Expires", "Thu, 31 Dec 2037 23:55:55 GMT"}},
                          "");
        return;
    }
    if (method != "POST") {
        exchange->respond(405, {{"Allow", "OPTIONS, POST"}}, "");
        return;
    }
    http(exchange, service, *path);
}

void SockJsSessions::info(const ExchangeRef& exchange, const SockJsService& service) {
    if (!add_cors(exchange, service)) return;
    const std::string& method = exchange->request().method;
    if (method == "OPTIONS") {
        exchange->respond(204,
                          {{"Access-Control-Allow-Methods", "OPTIONS, GET"},
                           {"Access-Control-Max-Age", "31536000"},
                           {"Cache-Control", "public, max-age=31536000"},
                           {"Expires", "Thu, 31 Dec 2037 23:55:55 GMT"}},
                          "");
    } else if (method != "GET" && method != "HEAD") {
        exchange->respond(405, {{"Allow", "OPTIONS, GET"}}, "");
    } else {
        exchange->respond(200, {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", kNoCache}},
                          wire::sockjs_info(service.websocket, service.cookie_needed, entropy()));
    }
}

std::unique_ptr<SockJsApp> SockJsSessions::make_app(const SockJsService& service, std::optional<Identity> identity,
                                                    std::string transport) {
    using Speaks = SockJsService::Speaks;
    switch (service.speaks) {
        case Speaks::kEcho: return std::make_unique<SockJsTestApp>(SockJsTestApp::What::kEcho);
        case Speaks::kClose: return std::make_unique<SockJsTestApp>(SockJsTestApp::What::kClose);
        case Speaks::kStomp: break;
    }
    return std::make_unique<StompSockJsApp>(core_, service.profile, std::move(identity), std::move(transport));
}

void SockJsSessions::judge(const ExchangeRef& exchange, const SockJsService& service,
                           UniqueFunction<void(std::optional<Identity>)> then) {
    if (service.speaks != SockJsService::Speaks::kStomp) {
        then(std::nullopt);
        return;
    }
    judge_handshake(core_, exchange, service.profile,
                    [this, exchange, then = std::move(then)](std::optional<HandshakeRefusal> refusal,
                                                             std::optional<Identity> identity) mutable {
                        if (refusal) {
                            core_.services().counters.refused(refusal->error.code).add();
                            exchange->refuse(refusal->status, refusal->error);
                        } else {
                            then(std::move(identity));
                        }
                    });
}

void SockJsSessions::websocket(const ExchangeRef& exchange, const SockJsService& service, bool raw) {
    int status = 400;
    if (exchange->request().method != "GET") {
        exchange->respond(405, {{"Allow", "GET"}}, "");
        return;
    }
    if (!is_websocket_request(exchange->request())) {
        exchange->respond(400, {{"Content-Type", "text/plain; charset=UTF-8"}},
                          "Can \"Upgrade\" only to \"WebSocket\".");
        return;
    }
    if (const auto problem = websocket_problem(exchange->request(), status)) {
        if (status == 426) exchange->add_field("Sec-WebSocket-Version", "13");
        exchange->refuse(status, *problem);
        return;
    }
    judge(exchange, service, [this, exchange, &service, raw](std::optional<Identity> identity) {
        // In SockJS framing the escapes make a message of the allowed size up to six times as long.
        const std::size_t limit = core_.options().message.count;
        if (raw && service.speaks == SockJsService::Speaks::kStomp) {
            upgrade_to_stomp(core_, exchange, service.profile, std::move(identity));
        } else if (raw) {
            const bool closes = service.speaks == SockJsService::Speaks::kClose;
            upgrade_to_websocket(core_, exchange, std::make_unique<EchoWsApp>(closes), {}, {});
        } else {
            auto app = std::make_unique<SockJsWsApp>(
                core_.loop(), make_app(service, std::move(identity), "sockjs-websocket"), service.options.heartbeat);
            upgrade_to_websocket(core_, exchange, std::move(app), {.max_message = Bytes{8 * limit}}, {});
        }
    });
}

void SockJsSessions::http(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path) {
    const std::string key = service.prefix + '/' + std::string{path.session};
    auto& services = core_.services();
    const std::size_t owner = std::hash<std::string>{}(key) % services.runtime.size();
    if (owner != core_.loop().index()) {
        exchange->move_to(services.runtime.loop(owner),
                          [&services, owner](rt::Connection::Detached detached, wire::HttpRequest request) {
                              if (services.cores[owner] != nullptr) {
                                  services.cores[owner]->adopt(std::move(detached), std::move(request));
                              }
                          });
        return;
    }
    const auto kind = path.transport == SockJsTransport::kXhrStreaming ? SockJsHttpSession::Receiver::kStreaming
                                                                       : SockJsHttpSession::Receiver::kPolling;
    const auto found = sessions_.find(key);
    if (found == sessions_.end()) {
        if (path.transport == SockJsTransport::kXhrSend) {
            exchange->respond(404, {{"Content-Type", "text/plain; charset=UTF-8"}}, "");
            return;
        }
        open(exchange, service, key, kind);
        return;
    }
    if (service.speaks == SockJsService::Speaks::kStomp &&
        found->second->query_identity() != query_identity(exchange->request())) {
        exchange->refuse({Code::kForbidden, "the session was opened with another query"});
        return;
    }
    if (path.transport == SockJsTransport::kXhrSend) {
        found->second->take(exchange);
    } else {
        found->second->receive(exchange, kind);
    }
}

void SockJsSessions::open(const ExchangeRef& exchange, const SockJsService& service, const std::string& key,
                          SockJsHttpSession::Receiver kind) {
    judge(exchange, service, [this, exchange, &service, key, kind](std::optional<Identity> identity) {
        if (!exchange->is_open()) return;  // the client has gone meanwhile
        const bool streaming = kind == SockJsHttpSession::Receiver::kStreaming;
        auto& slot = sessions_[key];
        if (slot == nullptr) {
            auto app =
                make_app(service, std::move(identity), streaming ? "sockjs-xhr-streaming" : "sockjs-xhr-polling");
            slot = std::make_unique<SockJsHttpSession>(core_.loop(), std::move(app),
                                                       query_identity(exchange->request()), service.options);
            slot->open();
        } else if (service.speaks == SockJsService::Speaks::kStomp &&
                   slot->query_identity() != query_identity(exchange->request())) {
            exchange->refuse({Code::kForbidden, "the session was opened with another query"});
            return;
        }
        slot->receive(exchange, kind);
    });
}

}  // namespace parley::gateway
