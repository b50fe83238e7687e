#include "gateway/handshake.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "wire/cookie.h"
#include "wire/query.h"

namespace parley::gateway {
namespace {

std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

/// Not just any name that begins with `127.`.
bool is_loopback_v4(std::string_view host) {
    in_addr address{};
    return ::inet_pton(AF_INET, std::string{host}.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

/// `*` stands for any run of characters: `https://*.example.org`.
bool matches(std::string_view pattern, std::string_view text) {
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) return wire::iequals(pattern, text);
    const auto head = pattern.substr(0, star);
    const auto tail = pattern.substr(star + 1);
    return text.size() >= head.size() + tail.size() && wire::iequals(text.substr(0, head.size()), head) &&
           wire::iequals(text.substr(text.size() - tail.size()), tail);
}

bool is_same_origin(const wire::HttpRequest& request, std::string_view origin) {
    const auto scheme = origin.find("://");
    return scheme != std::string_view::npos && wire::iequals(origin.substr(scheme + 3), request.host);
}

/// A cookie goes along with requests that other sites cause; only what the browser itself calls same-origin counts.
bool may_use_cookie(const wire::HttpRequest& request) {
    if (request.method != "GET" && request.method != "HEAD") return false;
    if (const auto origin = request.headers.find("origin"); origin && !is_same_origin(request, *origin)) return false;
    const auto site = request.headers.find("sec-fetch-site");
    return !site || *site == "same-origin" || *site == "none";
}

void enter_room(Core& core, auth::Profile profile, const RoomId& room, Identity identity, HandshakeDone then) {
    const MemberId member = identity.claims.member;
    core.chat().view(room, member,
                     [&core, profile, room, identity = std::move(identity),
                      then = std::move(then)](Result<chat::RoomView> view) mutable {
                         if (!view) {
                             then(HandshakeRefusal{503, view.error()}, std::nullopt);
                             return;
                         }
                         const auto decision = auth::decide({.profile = profile,
                                                             .operation = auth::Operation::kHandshake,
                                                             .destination = auth::of_room(room),
                                                             .who = {identity.claims.member, identity.claims.guest},
                                                             .room = view->room,
                                                             .membership = view->membership,
                                                             .auto_create = core.options().auto_create});
                         if (decision.allowed) {
                             then(std::nullopt, std::move(identity));
                         } else {
                             then(HandshakeRefusal{403, {Code::kForbidden, "not allowed in this room"}}, std::nullopt);
                         }
                     });
}

}  // namespace

bool is_blank(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; });
}

bool origin_allowed(const Options& options, const wire::HttpRequest& request) {
    const auto origin = request.headers.find("origin");
    if (!origin || is_same_origin(request, *origin)) return true;
    return std::any_of(options.origins.begin(), options.origins.end(),
                       [&](const std::string& pattern) { return pattern == "*" || matches(pattern, *origin); });
}

bool host_is_this_machine(const wire::HttpRequest& request) {
    if (request.host.empty()) return true;
    const std::string_view host = host_of(request.host);
    return wire::iequals(host, "localhost") || host == "[::1]" || is_loopback_v4(host) ||
           (host.size() > 10 && wire::iequals(host.substr(host.size() - 10), ".localhost"));
}

bool host_configured(const Options& options, const wire::HttpRequest& request) {
    const std::string_view host = host_of(request.host);
    return std::any_of(options.origins.begin(), options.origins.end(), [&](std::string_view pattern) {
        const auto scheme = pattern.find("://");
        return pattern == "*" ||
               (scheme != std::string_view::npos && matches(host_of(pattern.substr(scheme + 3)), host));
    });
}

std::string request_token(const wire::HttpRequest& request) {
    if (const auto query = wire::QueryParams::parse(request.query)) {
        if (auto token = query->get("token"); token && !is_blank(*token)) return *token;
    }
    if (const auto header = request.headers.find("authorization")) {
        if (header->size() > 7 && wire::iequals(header->substr(0, 7), "Bearer ")) {
            const auto begin = header->find_first_not_of(' ', 7);  // one or more (RFC 9110 section 11.4)
            if (begin != std::string_view::npos) return std::string{header->substr(begin)};
        }
    }
    if (may_use_cookie(request)) {
        for (const auto header : request.headers.all("cookie")) {
            if (const auto value = wire::cookie(header, kTokenCookie)) return std::string{*value};
        }
    }
    return {};
}

void authenticate(Core& core, std::string token, UniqueFunction<void(Result<Identity>)> then) {
    if (token.empty()) {
        then(fail(Code::kAuthRequired, "a token is required"));
        return;
    }
    core.services().guard.check(
        std::move(token), [&loop = core.loop(), then = std::move(then)](Result<auth::VerifiedToken> checked) mutable {
            loop.post([then = std::move(then), checked = std::move(checked)]() mutable {
                if (checked) {
                    then(Identity{std::move(checked->claims), std::move(checked->sha256_hex)});
                } else {
                    then(fail(checked.error()));
                }
            });
        });
}

std::optional<HandshakeRefusal> judge_arrival(Core& core, const ExchangeRef& exchange) {
    Services& services = core.services();
    const auto refuse = [](int status, Code code, std::string message) {
        return HandshakeRefusal{status, {code, std::move(message)}};
    };
    if (!origin_allowed(core.options(), exchange->request()))
        return refuse(403, Code::kOriginForbidden, "this origin is not allowed");
    if (services.draining) return refuse(503, Code::kDraining, "the server is shutting down");
    if (services.is_full()) return refuse(503, Code::kServerFull, "the server is full");
    if (core.memory().refuses_connections()) return refuse(503, Code::kServerFull, "the server is short of memory");
    if (const auto wait = services.rates.handshake(auth::address_key(exchange->peer()), core.loop().now())) {
        return HandshakeRefusal{429, {Code::kRateLimited, "too many connections from this address"}, *wait};
    }
    return std::nullopt;
}

void judge_handshake(Core& core, const ExchangeRef& exchange, auth::Profile profile, HandshakeDone then) {
    if (auto refusal = judge_arrival(core, exchange)) {
        then(std::move(refusal), std::nullopt);
        return;
    }
    then = [then = std::move(then), seat = UnderWay{core.services().entering}](auto refusal, auto identity) mutable {
        then(std::move(refusal), std::move(identity));
    };
    const wire::HttpRequest& request = exchange->request();
    const auto refuse = [&then](int status, Code code, std::string message) {
        then(HandshakeRefusal{status, {code, std::move(message)}}, std::nullopt);
    };
    // It asks for no token: what a client sends as one judges nobody.
    std::string token = profile == auth::Profile::kBroker ? std::string{} : request_token(request);
    if (profile != auth::Profile::kGame) {
        if (token.empty()) {
            then(std::nullopt, std::nullopt);
            return;
        }
        authenticate(core, std::move(token), [then = std::move(then)](Result<Identity> identity) mutable {
            if (identity) {
                then(std::nullopt, std::move(*identity));
            } else {
                then(HandshakeRefusal{info(identity.error().code).http_status, identity.error()}, std::nullopt);
            }
        });
        return;
    }
    const auto query = wire::QueryParams::parse(request.query);
    if (!query) return refuse(400, Code::kBadRequest, query.error().message);
    if (token.empty()) return refuse(400, Code::kAuthRequired, "token is missing");
    const std::string room_text = query->get("roomId").value_or("");
    if (is_blank(room_text)) return refuse(400, Code::kBadRequest, "roomId is missing");
    const auto room = RoomId::parse(room_text);
    if (!room) return refuse(400, Code::kBadRequest, room.error().message);
    authenticate(core, std::move(token),
                 [&core, profile, room = *room, then = std::move(then)](Result<Identity> identity) mutable {
                     if (identity) {
                         enter_room(core, profile, room, std::move(*identity), std::move(then));
                         return;
                     }
                     then(HandshakeRefusal{info(identity.error().code).http_status, identity.error()}, std::nullopt);
                 });
}

}  // namespace parley::gateway
