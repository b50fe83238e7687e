#include "gateway/cors.h"

#include "gateway/handshake.h"

namespace parley::gateway {

bool admit_origin(const Options& options, Exchange& exchange) {
    const wire::HttpRequest& request = exchange.request();
    exchange.add_field("Vary", "Origin");
    const auto origin = request.headers.find("origin");
    if (!origin) return true;
    if (origin_allowed(options, request)) {
        exchange.add_field("Access-Control-Allow-Origin", std::string{*origin});
        exchange.add_field("Access-Control-Allow-Credentials", "true");
        exchange.add_field("Access-Control-Expose-Headers",
                           "X-Parley-Cursor, X-Parley-Epoch, X-Parley-First-Seq, X-Parley-Head-Seq, "
                           "X-Parley-Rooms-Left-Out, X-Parley-Truncated, Retry-After");
        return true;
    }
    const auto site = request.headers.find("sec-fetch-site");
    return request.method != "OPTIONS" && site != "cross-site" && site != "same-site";
}

void answer_options(Exchange& exchange, std::string_view methods) {
    std::vector<wire::HttpField> fields{{"Allow", methods}};
    if (exchange.request().headers.find("access-control-request-method")) {
        fields.push_back({"Access-Control-Allow-Methods", methods});
        fields.push_back({"Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID"});
        fields.push_back({"Access-Control-Max-Age", "600"});
    }
    exchange.respond(204, std::move(fields), "");
}

}  // namespace parley::gateway
