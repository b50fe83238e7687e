#include "gateway/sockjs_headers.h"

#include "gateway/handshake.h"
#include "wire/cookie.h"

namespace parley::gateway {
namespace {

/// `https://host:port` of an address; `null`, which matches no pattern but `*`, where there is none.
std::string origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return "null";
    return std::string{url.substr(0, url.find_first_of("/?#", scheme + 3))};
}

}  // namespace

bool page_allowed(const Options& options, const wire::HttpRequest& request) {
    if (request.headers.find("origin")) return origin_allowed(options, request);
    const auto site = request.headers.find("sec-fetch-site");
    if (!site || *site == "same-origin" || *site == "none") return true;
    wire::HttpRequest claimed;
    claimed.host = request.host;
    claimed.headers.add("Origin", origin_of(request.headers.find("referer").value_or("")));
    return origin_allowed(options, claimed);
}

void add_sockjs_cors(Exchange& exchange) {
    const auto& headers = exchange.request().headers;
    const auto origin = headers.find("origin");
    exchange.add_field("Access-Control-Allow-Origin", origin ? std::string{*origin} : "*");
    exchange.add_field("Vary", "Origin");
    if (origin) exchange.add_field("Access-Control-Allow-Credentials", "true");
    if (const auto wanted = headers.find("access-control-request-headers"); wanted && !wanted->empty()) {
        exchange.add_field("Access-Control-Allow-Headers", std::string{*wanted});
    }
}

void add_sockjs_cookie(Exchange& exchange) {
    std::string value = "dummy";
    for (const auto header : exchange.request().headers.all("cookie")) {
        if (const auto cookie = wire::cookie(header, "JSESSIONID")) value = *cookie;
    }
    exchange.add_field("Set-Cookie", "JSESSIONID=" + value + "; Path=/" + (exchange.is_secure() ? "; Secure" : ""));
}

void answer_sockjs_options(Exchange& exchange, std::string_view methods) {
    exchange.respond(204,
                     {{"Access-Control-Allow-Methods", methods},
                      {"Access-Control-Max-Age", "31536000"},
                      {"Cache-Control", kSockJsCacheYear},
                      {"Expires", kSockJsExpires}},
                     "");
}

}  // namespace parley::gateway
