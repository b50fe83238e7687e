#include "gateway/health.h"

#include "gateway/rest_json.h"

namespace parley::gateway {

Services::Readiness ready(const std::vector<std::string>& degraded, bool strict, const log::ReaderLags& lags) {
    std::string list;
    for (const std::string& fault : degraded) {
        if (!list.empty()) list += ',';
        append_json_string(list, fault);
    }
    const bool is_ready = degraded.empty() || !strict;
    JsonObject answer;
    answer.text("status", is_ready ? "READY" : "DEGRADED").raw("degraded", '[' + list + ']');
    if (const auto readers = lags()) {
        JsonObject records;
        for (const log::ReaderLag& lag : *readers) {
            if (lag.is_known()) records.number(lag.reader, lag.total());
        }
        answer.raw("lag", records.str());
    }
    return {is_ready, answer.str()};
}

Services::Readiness not_ready(Code code, std::string_view why) { return {false, error_json(code, why), code}; }

bool serve_health(const ExchangeRef& exchange, const std::function<Services::Readiness()>& readiness,
                  const metrics::Registry* metrics) {
    const wire::HttpRequest& request = exchange->request();
    if (request.path != "/health" && request.path != "/ready" && request.path != "/metrics") return false;
    if (request.method != "GET" && request.method != "HEAD") {
        refuse_method(exchange, "GET, HEAD");
        return true;
    }
    if (request.path == "/health") {
        exchange->respond_json(200, R"({"status":"UP"})");
    } else if (request.path == "/ready") {
        const auto state = readiness();
        if (!state.ready) exchange->add_field("Retry-After", retry_after(503, state.code, {}));
        exchange->respond_json(state.ready ? 200 : 503, state.json);
    } else if (metrics == nullptr) {
        return false;
    } else {
        exchange->respond(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics->render());
    }
    return true;
}

}  // namespace parley::gateway
