#include "gateway/sockjs_sessions.h"

#include <openssl/rand.h>

#include "gateway/handshake.h"
#include "gateway/relay.h"
#include "gateway/sockjs_apps.h"
#include "gateway/sockjs_headers.h"
#include "gateway/ws_apps.h"
#include "wire/query.h"

namespace parley::gateway {
namespace {

using wire::SockJsResource;
using wire::SockJsTransport;

constexpr std::string_view kServerGone = "Connection interrupted";
/// Longer names are no callbacks of pages that exist.
constexpr std::size_t kMaxJsonpCallback = 32;
const std::vector<wire::HttpField> kPlain{{"Content-Type", "text/plain; charset=UTF-8"}};

/// What of the query must stay the same: browsers add cache busters.
std::string query_identity(const wire::HttpRequest& request) {
    const auto query = wire::QueryParams::parse(request.query);
    if (!query) return {};
    return query->get("token").value_or("") + '\n' + query->get("roomId").value_or("");
}

std::string key_of(const SockJsService& service, const wire::SockJsPath& path) {
    return service.prefix + '/' + std::string{path.session};
}

/// How an address of a session is asked.
struct Manner {
    std::string_view method;
    std::string_view allow;
    bool shared;  ///< pages of other origins read the answer
};
const Manner& manner_of(SockJsTransport transport) {
    static constexpr Manner kXhr{"POST", "OPTIONS, POST", true};
    static constexpr Manner kEventSource{"GET", "GET", true};
    static constexpr Manner kElement{"GET", "GET", false};
    static constexpr Manner kForm{"POST", "POST", false};
    switch (transport) {
        case SockJsTransport::kEventSource: return kEventSource;
        case SockJsTransport::kHtmlFile:
        case SockJsTransport::kJsonp: return kElement;
        case SockJsTransport::kJsonpSend: return kForm;
        default: return kXhr;
    }
}

std::uint32_t entropy() {
    std::uint32_t value = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
    return value;
}

}  // namespace

SockJsSessions::SockJsSessions(Core& core)
    : core_(core), iframe_(core.options()), owners_(core.loop(), core.services().fleet) {}
SockJsSessions::~SockJsSessions() = default;

void SockJsSessions::on_second() {
    std::erase_if(sessions_, [this, now = core_.loop().now()](const auto& entry) {
        const bool is_done = entry.second->is_done(now);
        if (is_done) owners_.release(entry.first);
        return is_done;
    });
    owners_.on_second();
}

void SockJsSessions::serve(const ExchangeRef& exchange, const SockJsService& service, std::string_view rest) {
    const auto path = wire::parse_sockjs_path(rest);
    if (!path) {
        exchange->refuse({Code::kNotFound, "no such SockJS address"});
        return;
    }
    const bool is_get = exchange->request().method == "GET" || exchange->request().method == "HEAD";
    switch (path->resource) {
        case SockJsResource::kGreeting:
        case SockJsResource::kIframe:
            if (!is_get) {
                exchange->respond(405, {{"Allow", "GET, HEAD"}}, "");
            } else if (path->resource == SockJsResource::kIframe) {
                iframe_.serve(*exchange,
                              service.any_origin ? SockJsIframe::FramedBy::kAnyone : SockJsIframe::FramedBy::kAllowed);
            } else {
                exchange->respond(200, kPlain, wire::kSockJsGreeting);
            }
            return;
        case SockJsResource::kInfo: info(exchange, service); return;
        case SockJsResource::kRawWebSocket: websocket(exchange, service, true); return;
        case SockJsResource::kSession: session(exchange, service, *path); return;
    }
}

void SockJsSessions::session(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path) {
    if (path.transport == SockJsTransport::kWebSocket) {
        websocket(exchange, service, false);
        return;
    }
    const Manner& manner = manner_of(path.transport);
    if (!service.any_origin && !page_allowed(core_.options(), exchange->request())) {
        exchange->refuse({Code::kOriginForbidden, "this origin is not allowed"});
        return;
    }
    if (service.cookie_needed) add_sockjs_cookie(*exchange);
    if (manner.shared) add_sockjs_cors(*exchange);
    const std::string& method = exchange->request().method;
    if (method == "OPTIONS" && manner.allow.starts_with("OPTIONS")) {
        answer_sockjs_options(*exchange, manner.allow);
    } else if (method != manner.method) {
        exchange->respond(405, {{"Allow", manner.allow}}, "");
    } else if (path.transport == SockJsTransport::kXhrSend || path.transport == SockJsTransport::kJsonpSend) {
        send(exchange, service, path);
    } else {
        receive(exchange, service, path);
    }
}

void SockJsSessions::send(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path) {
    const std::string key = key_of(service, path);
    if (!is_here(exchange, key)) return;
    using Sender = SockJsHttpSession::Sender;
    const auto found = find(exchange, service, key);
    if (!found) {
        exchange->refuse(found.error());
    } else if (*found == nullptr) {
        look_elsewhere(exchange, key, std::nullopt, [exchange] { exchange->respond(404, kPlain, ""); });
    } else {
        (*found)->take(exchange, path.transport == SockJsTransport::kJsonpSend ? Sender::kJsonp : Sender::kXhr);
    }
}

void SockJsSessions::receive(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path) {
    std::string callback;
    if (path.transport == SockJsTransport::kHtmlFile || path.transport == SockJsTransport::kJsonp) {
        const auto query = wire::QueryParams::parse(exchange->request().query);
        const auto given = query ? query->get(query->has("c") ? "c" : "callback") : std::string{};
        if (!given) {
            exchange->respond(500, kPlain, R"("callback" parameter required)");
            return;
        }
        const bool too_long = path.transport == SockJsTransport::kJsonp && given->size() > kMaxJsonpCallback;
        if (too_long || !wire::is_sockjs_callback(*given)) {
            exchange->respond(500, kPlain, R"(invalid "callback" parameter)");
            return;
        }
        callback = *given;
        const bool anyone = service.any_origin;
        exchange->add_field("Content-Security-Policy", iframe_.policy(anyone ? SockJsIframe::FramedBy::kAnyone
                                                                             : SockJsIframe::FramedBy::kAllowed));
    }
    const std::string key = key_of(service, path);
    if (!is_here(exchange, key)) return;
    wire::SockJsFraming framing{path.transport, std::move(callback)};
    const auto found = find(exchange, service, key);
    if (!found) {
        exchange->refuse(found.error());
    } else if (*found == nullptr) {
        look_elsewhere(exchange, key, framing,
                       [this, exchange, &service, key, framing] { open(exchange, service, key, framing); });
    } else {
        (*found)->receive(exchange, std::move(framing));
    }
}

void SockJsSessions::info(const ExchangeRef& exchange, const SockJsService& service) {
    if (!service.any_origin && !origin_allowed(core_.options(), exchange->request())) {
        exchange->refuse({Code::kOriginForbidden, "this origin is not allowed"});
        return;
    }
    add_sockjs_cors(*exchange);
    const std::string& method = exchange->request().method;
    if (method == "OPTIONS") {
        answer_sockjs_options(*exchange, "OPTIONS, GET");
    } else if (method != "GET" && method != "HEAD") {
        exchange->respond(405, {{"Allow", "OPTIONS, GET"}}, "");
    } else {
        exchange->respond(200, {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", kSockJsNoCache}},
                          wire::sockjs_info(service.websocket, service.cookie_needed, entropy()));
    }
}

std::shared_ptr<LinkApp> SockJsSessions::make_app(const SockJsService& service, std::optional<Identity> identity,
                                                  std::string transport) {
    using Speaks = SockJsService::Speaks;
    switch (service.speaks) {
        case Speaks::kEcho: return std::make_shared<SockJsTestApp>(SockJsTestApp::What::kEcho);
        case Speaks::kClose: return std::make_shared<SockJsTestApp>(SockJsTestApp::What::kClose);
        case Speaks::kStomp: break;
    }
    return std::make_shared<StompSession>(core_, service.profile, std::move(identity), std::nullopt,
                                          std::move(transport));
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
                            exchange->refuse(refusal->status, refusal->error, refusal->wait);
                        } else {
                            then(std::move(identity));
                        }
                    });
}

void SockJsSessions::websocket(const ExchangeRef& exchange, const SockJsService& service, bool raw) {
    int status = 400;
    if (!service.websocket) {
        exchange->refuse({Code::kNotFound, "websocket is disabled here"});
        return;
    }
    if (exchange->request().method != "GET") {
        exchange->respond(405, {{"Allow", "GET"}}, "");
        return;
    }
    if (!is_websocket_request(exchange->request())) {
        exchange->respond(400, kPlain, R"(Can "Upgrade" only to "WebSocket".)");
        return;
    }
    if (!is_upgrade_request(exchange->request())) {
        exchange->respond(400, kPlain, R"("Connection" must be "Upgrade".)");
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

bool SockJsSessions::is_here(const ExchangeRef& exchange, const std::string& key) {
    auto& services = core_.services();
    const std::size_t owner = std::hash<std::string>{}(key) % services.cores.size();
    if (owner == core_.loop().index()) return true;
    exchange->move_to(services.runtime.loop(owner), [&services, owner](rt::Connection::Detached detached,
                                                                       wire::HttpRequest request, Arrival arrival) {
        if (services.cores[owner] != nullptr) {
            services.cores[owner]->adopt(std::move(detached), std::move(request), std::move(arrival));
        }
    });
    return false;
}

Result<SockJsHttpSession*> SockJsSessions::find(const ExchangeRef& exchange, const SockJsService& service,
                                                const std::string& key) {
    const auto found = sessions_.find(key);
    if (found == sessions_.end()) return nullptr;
    if (service.speaks == SockJsService::Speaks::kStomp &&
        found->second->query_identity() != query_identity(exchange->request())) {
        return fail(Code::kForbidden, "the session was opened with another query");
    }
    return found->second.get();
}

void SockJsSessions::look_elsewhere(const ExchangeRef& exchange, const std::string& key,
                                    const std::optional<wire::SockJsFraming>& receiver, Task nobodys) {
    // What was brought here is not sent on again.
    if (owners_.is_alone() || exchange->is_relayed()) {
        nobodys();
        return;
    }
    owners_.find(
        key, [this, exchange, key, receiver, nobodys = std::move(nobodys)](Result<std::optional<Owner>> owner) mutable {
            go_to(exchange, key, std::move(owner), receiver, std::move(nobodys));
        });
}

void SockJsSessions::go_to(const ExchangeRef& exchange, const std::string& key, Result<std::optional<Owner>> owner,
                           const std::optional<wire::SockJsFraming>& receiver, Task nobodys) {
    if (!exchange->is_open()) return;  // the client has gone meanwhile
    if (!owner) {
        exchange->refuse(owner.error());
        return;
    }
    if (!*owner) {
        nobodys();
        return;
    }
    const auto is_over = [exchange, receiver] {
        if (receiver) {
            SockJsHttpSession::answer_closed(*exchange, *receiver, wire::sockjs_close_frame(1002, kServerGone));
        } else {
            exchange->respond(404, kPlain, "");
        }
    };
    if (exchange->is_relayed()) {
        is_over();
        return;
    }
    const auto kind = receiver ? Relay::Kind::kWaits : Relay::Kind::kAnswered;
    Relay::begin(core_, exchange, **owner, kind,
                 [this, alive = std::weak_ptr<bool>{alive_}, key, owner = **owner, is_over] {
                     if (alive.expired()) return;
                     owners_.let_go(key, owner);
                     is_over();
                 });
}

void SockJsSessions::open(const ExchangeRef& exchange, const SockJsService& service, const std::string& key,
                          wire::SockJsFraming framing) {
    judge(exchange, service,
          [this, exchange, &service, key, framing = std::move(framing)](std::optional<Identity> identity) mutable {
              if (!exchange->is_open()) return;  // the client has gone meanwhile
              owners_.claim(key, [this, exchange, &service, key, framing,
                                  identity = std::move(identity)](Result<std::optional<Owner>> owner) mutable {
                  if (!exchange->is_open() && !sessions_.contains(key)) owners_.release(key);
                  go_to(exchange, key, std::move(owner), framing,
                        [this, exchange, &service, key, framing, identity = std::move(identity)]() mutable {
                            begin(exchange, service, key, std::move(identity), std::move(framing));
                        });
              });
          });
}

void SockJsSessions::begin(const ExchangeRef& exchange, const SockJsService& service, const std::string& key,
                           std::optional<Identity> identity, wire::SockJsFraming framing) {
    const auto found = find(exchange, service, key);
    if (!found) {
        exchange->refuse(found.error());
        return;
    }
    SockJsHttpSession* session = *found;
    if (session == nullptr) {
        auto made = std::make_unique<SockJsHttpSession>(
            core_.loop(), make_app(service, std::move(identity), std::string{framing.name()}),
            query_identity(exchange->request()), service.options);
        session = sessions_.emplace(key, std::move(made)).first->second.get();
        session->open();
    }
    session->receive(exchange, std::move(framing));
}

}  // namespace parley::gateway
