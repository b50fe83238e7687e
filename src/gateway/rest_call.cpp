#include "gateway/rest_call.h"

#include <charconv>

#include "gateway/refusals.h"
#include "gateway/rest_json.h"

namespace parley::gateway {

Result<std::optional<std::uint64_t>> whole_number(const wire::QueryParams& query, std::string_view name) {
    const auto text = query.get(name);
    if (!text) return std::optional<std::uint64_t>{};
    std::uint64_t value = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (text->empty() || error != std::errc{} || stop != end) {
        return fail(Code::kBadRequest, std::string{name} + " must be a whole number, 0 or more");
    }
    return std::optional{value};
}

void RestCall::answer(int status, std::string_view json, std::vector<wire::HttpField> fields) {
    if (enveloped) {
        exchange_->respond_json(status, envelope(status, "OK", json), std::move(fields));
    } else {
        exchange_->respond_json(status, json, std::move(fields));
    }
}

void RestCall::refuse(const Error& error, std::vector<wire::HttpField> fields, milliseconds wait) {
    counters_.refused(error.code).add();
    const int status = info(error.code).http_status;
    const std::string later = retry_after(status, error.code, wait);
    if (!later.empty()) fields.push_back({"Retry-After", later});
    if (status == 401) fields.push_back({"WWW-Authenticate", "Bearer"});
    const std::string_view message = told_to_clients(error);
    exchange_->note_failure(error);
    exchange_->respond_json(status,
                            enveloped ? refusal_envelope(status, error.code, message) : error_json(error.code, message),
                            std::move(fields));
}

}  // namespace parley::gateway
