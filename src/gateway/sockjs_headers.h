#pragma once
#include <string_view>

#include "gateway/exchange.h"

namespace parley::gateway {

struct Options;

inline constexpr std::string_view kSockJsNoCache = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
inline constexpr std::string_view kSockJsCacheYear = "public, max-age=31536000";
inline constexpr std::string_view kSockJsExpires = "Thu, 31 Dec 2037 23:55:55 GMT";

/// Whether the page that caused this request may. A script or frame of another site carries no Origin: then what the
/// browser says of the site and Referer count.
[[nodiscard]] bool page_allowed(const Options& options, const wire::HttpRequest& request);

/// The fields that let the page of another origin read the answer, credentials included.
void add_sockjs_cors(Exchange& exchange);
/// `JSESSIONID`, the client's own or a new one: by it load balancers keep a session on one server.
void add_sockjs_cookie(Exchange& exchange);
/// The answer to OPTIONS; `methods` are what the address takes: `OPTIONS, POST`.
void answer_sockjs_options(Exchange& exchange, std::string_view methods);

}  // namespace parley::gateway
