#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "auth/destination.h"
#include "gateway/exchange.h"
#include "gateway/session_owners.h"
#include "gateway/sockjs_iframe.h"
#include "gateway/sockjs_session.h"
#include "wire/sockjs.h"

namespace parley::gateway {

class Core;
struct Identity;

/// One SockJS endpoint: `/ws-chat`, `/sockjs/echo`.
struct SockJsService {
    enum class Speaks : std::uint8_t { kStomp, kEcho, kClose };
    std::string prefix;
    Speaks speaks = Speaks::kStomp;
    auth::Profile profile = auth::Profile::kGame;
    bool websocket = true;
    bool cookie_needed = false;
    bool any_origin = false;
    SockJsOptions options;
};

/// The SockJS sessions of this core, and the way a request finds its session: each belongs to the core its id hashes
/// to, and a request for it that arrived elsewhere moves there with its connection. In a fleet each belongs to the
/// server that claimed it, and a request that arrived at another one is relayed there.
///
/// Thread: core-local.
/// Fails:  a session whose server has gone is over: the client hears so, and begins another one.
class SockJsSessions {
public:
    explicit SockJsSessions(Core& core);
    ~SockJsSessions();

    /// `rest` is the raw path behind the service's prefix.
    void serve(const ExchangeRef& exchange, const SockJsService& service, std::string_view rest);
    void on_second();

private:
    using Map = std::unordered_map<std::string, std::unique_ptr<SockJsHttpSession>>;

    void session(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path);
    void receive(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path);
    void send(const ExchangeRef& exchange, const SockJsService& service, const wire::SockJsPath& path);
    void info(const ExchangeRef& exchange, const SockJsService& service);
    void websocket(const ExchangeRef& exchange, const SockJsService& service, bool raw);
    /// False: the session lives on another core and the request is on its way there.
    bool is_here(const ExchangeRef& exchange, const std::string& key);
    /// Null: there is no such session yet. Error: it was opened with another query.
    Result<SockJsHttpSession*> find(const ExchangeRef& exchange, const SockJsService& service, const std::string& key);
    void open(const ExchangeRef& exchange, const SockJsService& service, const std::string& key,
              wire::SockJsFraming framing);
    void begin(const ExchangeRef& exchange, const SockJsService& service, const std::string& key,
               std::optional<Identity> identity, wire::SockJsFraming framing);
    /// The session is not here: the request goes to the server that has it, or `nobodys` runs.
    void look_elsewhere(const ExchangeRef& exchange, const std::string& key,
                        const std::optional<wire::SockJsFraming>& receiver, Task nobodys);
    /// Whose the session is: see look_elsewhere(). A `receiver` waits for messages; none is a sender.
    void go_to(const ExchangeRef& exchange, const std::string& key, Result<std::optional<Owner>> owner,
               const std::optional<wire::SockJsFraming>& receiver, Task nobodys);
    [[nodiscard]] std::shared_ptr<LinkApp> make_app(const SockJsService& service, std::optional<Identity> identity,
                                                    std::string transport);
    void judge(const ExchangeRef& exchange, const SockJsService& service,
               UniqueFunction<void(std::optional<Identity>)> then);

    Core& core_;
    const SockJsIframe iframe_;
    SessionOwners owners_;
    Map sessions_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::gateway
