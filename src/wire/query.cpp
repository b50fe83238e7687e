#include "wire/query.h"

#include "wire/http_grammar.h"
#include "wire/http_request.h"
#include "wire/utf8.h"

namespace parley::wire {
namespace {

constexpr std::size_t kMaxParams = 256;

enum class Plus : bool { kLiteral, kSpace };

/// nullopt at a `%` without two hex digits.
std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
            if (low < 0) return std::nullopt;
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(text[i] == '+' && plus == Plus::kSpace ? ' ' : text[i]);
        }
    }
    return out;
}

Result<std::string> decode_text(std::string_view text, Plus plus) {
    auto decoded = percent_decode(text, plus);
    if (!decoded) return fail(Code::kBadRequest, "malformed percent-encoding in the address");
    if (decoded->find('\0') != std::string::npos) return fail(Code::kBadRequest, "U+0000 in the address");
    if (!is_valid_utf8(*decoded)) return fail(Code::kBadRequest, "the address is not UTF-8");
    return std::move(*decoded);
}

bool is_secret(std::string_view raw_name) {
    const auto name = percent_decode(raw_name, Plus::kSpace);
    return name && (iequals(*name, "token") || iequals(*name, "ticket"));
}

}  // namespace

Result<QueryParams> QueryParams::parse(std::string_view raw, Bytes limit) {
    if (raw.size() > limit.count) return fail(Code::kBadRequest, "the query is too long");
    QueryParams query;
    while (!raw.empty()) {
        const std::string_view pair = raw.substr(0, raw.find('&'));
        raw.remove_prefix(pair.size() < raw.size() ? pair.size() + 1 : raw.size());
        if (pair.empty()) continue;
        if (query.params_.size() == kMaxParams) return fail(Code::kBadRequest, "too many query parameters");
        const std::size_t equals = pair.find('=');
        auto name = decode_text(pair.substr(0, equals), Plus::kSpace);
        if (!name) return fail(std::move(name.error()));
        auto value = decode_text(equals == std::string_view::npos ? "" : pair.substr(equals + 1), Plus::kSpace);
        if (!value) return fail(std::move(value.error()));
        query.params_.emplace_back(std::move(*name), std::move(*value));
    }
    return query;
}

std::optional<std::string> QueryParams::get(std::string_view name) const {
    for (const auto& [key, value] : params_) {
        if (key == name) return value;
    }
    return std::nullopt;
}

bool QueryParams::has(std::string_view name) const noexcept {
    for (const auto& [key, value] : params_) {
        if (key == name) return true;
    }
    return false;
}

std::string redact_query(std::string_view target) {
    const std::size_t question = target.find('?');
    if (question == std::string_view::npos) return std::string{target};
    std::string out{target.substr(0, question + 1)};
    std::string_view rest = target.substr(question + 1);
    for (;;) {
        const std::size_t end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && is_secret(pair.substr(0, equals))) {
            out.append(pair.substr(0, equals + 1)).append("***");
        } else {
            out.append(pair);
        }
        if (end == std::string_view::npos) return out;
        out.push_back('&');
        rest.remove_prefix(end + 1);
    }
}

Result<std::vector<std::string>> split_path(std::string_view path) {
    if (path.empty() || path.front() != '/') return fail(Code::kBadRequest, "the path does not begin with /");
    std::vector<std::string> segments;
    if (path.size() == 1) return segments;
    do {
        path.remove_prefix(1);
        const std::string_view raw = path.substr(0, path.find('/'));
        auto segment = decode_text(raw, Plus::kLiteral);
        if (!segment) return fail(std::move(segment.error()));
        segments.push_back(std::move(*segment));
        path.remove_prefix(raw.size());
    } while (!path.empty());
    return segments;
}

}  // namespace parley::wire
