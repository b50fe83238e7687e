#pragma once
#include <optional>

#include "auth/destination.h"
#include "base/function.h"
#include "gateway/core.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {

/// The judgement of a request that opens a session (docs/protocol.md sections 2 and 3), in this order: the server has
/// room, the origin, the address's rate, token and roomId are there, the token holds, the room may be entered.
///
/// Thread: core-local; `then` comes on this loop, or never when the connection goes first.
/// Fails:  with the Error and status that the client gets: 400, 401, 403, 429, 503.
struct HandshakeRefusal {
    int status;
    Error error;
    milliseconds wait{};  ///< what a rate said
};
using HandshakeDone = UniqueFunction<void(std::optional<HandshakeRefusal>, std::optional<Identity>)>;

/// The part of it that needs no token: room, origin, rate.
[[nodiscard]] std::optional<HandshakeRefusal> judge_arrival(Core& core, const ExchangeRef& exchange);
void judge_handshake(Core& core, const ExchangeRef& exchange, auth::Profile profile, HandshakeDone then);

/// The own host, a configured pattern, or no Origin at all.
[[nodiscard]] bool origin_allowed(const Options& options, const wire::HttpRequest& request);
/// Host names this machine, so that no other site's name can be pointed here (DNS rebinding): what a local request
/// needs.
[[nodiscard]] bool host_is_this_machine(const wire::HttpRequest& request);
/// Host is that of a configured pattern: a name that a proxy on this machine passes on.
[[nodiscard]] bool host_configured(const Options& options, const wire::HttpRequest& request);

/// Nothing but spaces and tabs.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;
/// Where a request carries its token, in the order existing clients rely on: `?token=` that is not blank,
/// `Authorization: Bearer`, then for same-origin GETs the cookie. Empty: none.
[[nodiscard]] std::string request_token(const wire::HttpRequest& request);
/// A token or ticket, checked. kAuthRequired for an empty one. Answers on this loop.
void authenticate(Core& core, std::string token, UniqueFunction<void(Result<Identity>)> then);

inline constexpr std::string_view kTokenCookie = "parley_token";

}  // namespace parley::gateway
