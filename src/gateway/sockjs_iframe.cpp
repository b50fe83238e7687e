#include "gateway/sockjs_iframe.h"

#include "auth/encoding.h"
#include "gateway/services.h"
#include "gateway/sockjs_headers.h"
#include "wire/sockjs_framing.h"

namespace parley::gateway {
namespace {

constexpr std::string_view kScript = "/sockjs-1.6.1.min.js";

/// One of the client's copies: `"abc", W/"def"`, or any.
bool is_among(std::string_view etag, std::string_view list) {
    if (list == "*") return true;
    for (auto at = list.find(etag); at != std::string_view::npos; at = list.find(etag, at + 1)) {
        const auto end = at + etag.size();
        if (end == list.size() || list[end] == ',' || list[end] == ' ') return true;
    }
    return false;
}

}  // namespace

SockJsIframe::SockJsIframe(const Options& options)
    : page_(wire::sockjs_iframe_page(options.sockjs_client_url.empty() ? kScript : options.sockjs_client_url)),
      etag_('"' + auth::sha256_hex(page_).substr(0, 32) + '"'),
      allowed_policy_("frame-ancestors 'self'"),
      open_policy_("frame-ancestors *") {
    for (const std::string& origin : options.origins) {
        // What could end the directive is no origin.
        if (origin.find_first_of(";, '\"") == std::string::npos) allowed_policy_ += ' ' + origin;
    }
}

const std::string& SockJsIframe::policy(FramedBy who) const {
    return who == FramedBy::kAnyone ? open_policy_ : allowed_policy_;
}

void SockJsIframe::serve(Exchange& exchange, FramedBy who) const {
    std::vector<wire::HttpField> fields{{"ETag", etag_},
                                        {"Cache-Control", kSockJsCacheYear},
                                        {"Expires", kSockJsExpires},
                                        {"Content-Security-Policy", policy(who)},
                                        // The address may carry a token.
                                        {"Referrer-Policy", "no-referrer"}};
    if (is_among(etag_, exchange.request().headers.find("if-none-match").value_or(""))) {
        exchange.respond(304, std::move(fields), "");
        return;
    }
    fields.push_back({"Content-Type", "text/html; charset=UTF-8"});
    fields.push_back({"X-Content-Type-Options", "nosniff"});
    exchange.respond(200, std::move(fields), page_);
}

}  // namespace parley::gateway
