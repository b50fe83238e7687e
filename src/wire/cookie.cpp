#include "wire/cookie.h"

#include <algorithm>

#include "wire/http_grammar.h"

namespace parley::wire {
namespace {

/// RFC 6265 4.1.1 `cookie-octet`.
bool is_cookie_octet(char c) noexcept { return is_visible_ascii(c) && c != '"' && c != ',' && c != ';' && c != '\\'; }

}  // namespace

std::optional<std::string_view> cookie(std::string_view header, std::string_view name) noexcept {
    while (!header.empty()) {
        const std::size_t end = header.find(';');
        const std::string_view pair = trim_ows(header.substr(0, end));
        header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || trim_ows(pair.substr(0, equals)) != name) continue;
        std::string_view value = trim_ows(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        return value;
    }
    return std::nullopt;
}

Result<std::string> set_cookie(std::string_view name, std::string_view value, const CookieAttributes& attributes) {
    const auto path_char = [](char c) { return c >= 0x20 && c < 0x7f && c != ';'; };
    if (!is_token(name)) return fail(Code::kInternal, "bad cookie name");
    if (!std::all_of(value.begin(), value.end(), is_cookie_octet)) return fail(Code::kInternal, "bad cookie value");
    if (!attributes.path.starts_with('/') || !std::all_of(attributes.path.begin(), attributes.path.end(), path_char)) {
        return fail(Code::kInternal, "bad cookie path");
    }
    std::string out;
    out.append(name).append("=").append(value).append("; Path=").append(attributes.path);
    if (attributes.max_age) out.append("; Max-Age=").append(std::to_string(attributes.max_age->count()));
    out.append("; HttpOnly; SameSite=Strict");
    if (attributes.secure) out.append("; Secure");
    return out;
}

}  // namespace parley::wire
