#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/direct_chats.h"
#include "gateway/exchange.h"
#include "gateway/sockjs_sessions.h"

namespace parley::gateway {

class Core;
class Rest;

/// Which request goes where: pages, WebSocket and SockJS endpoints, REST, health.
/// Thread: core-local. Order: exact paths, then endpoints by prefix; what nothing takes is 404, whoever asks.
class Router {
public:
    explicit Router(Core& core);
    ~Router();

    [[nodiscard]] Bytes body_limit(const wire::HttpRequest& request) const;
    void serve(ExchangeRef exchange);
    /// What comes over the operators' listener.
    void serve_admin(const ExchangeRef& exchange);

private:
    struct StompEndpoint {
        std::string path;
        auth::Profile profile;
    };
    /// False: it has been refused. What only this machine may ask must name it, lest a page elsewhere asks for a user.
    bool admit_host(const ExchangeRef& exchange);
    bool serve_endpoint(const ExchangeRef& exchange);
    void stomp(const ExchangeRef& exchange, auth::Profile profile);
    void echo(const ExchangeRef& exchange);
    bool serve_page(const ExchangeRef& exchange);
    bool serve_health(const ExchangeRef& exchange, bool with_metrics);

    Core& core_;
    std::vector<SockJsService> services_;  ///< never changes after construction: sessions keep references
    DirectChats direct_;
    std::unique_ptr<Rest> rest_;
};

}  // namespace parley::gateway
