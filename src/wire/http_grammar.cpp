#include "wire/http_grammar.h"

#include <arpa/inet.h>

#include <string>

namespace parley::wire {
namespace {

constexpr bool is_reg_name_char(char c) noexcept {
    return is_digit(c) || is_alpha(c) ||
           (c != '\0' && std::string_view{"-._~!$&'()*+,;="}.find(c) != std::string_view::npos);
}

bool is_reg_name(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
            i += 2;
        } else if (!is_reg_name_char(text[i])) {
            return false;
        }
    }
    return !text.empty();
}

/// RFC 3986 3.2.2, `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`.
bool is_ip_future(std::string_view text) noexcept {
    if (text.empty() || ascii_lower(text[0]) != 'v') return false;
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || dot == 1 || dot + 1 == text.size()) return false;
    for (const char c : text.substr(1, dot - 1)) {
        if (hex_value(c) < 0) return false;
    }
    for (const char c : text.substr(dot + 1)) {
        if (!is_reg_name_char(c) && c != ':') return false;
    }
    return true;
}

bool is_ipv6(std::string_view text) {
    if (text.size() > 45 || text.find('\0') != std::string_view::npos) return false;
    in6_addr address{};
    return inet_pton(AF_INET6, std::string{text}.c_str(), &address) == 1;
}

void skip_ows(std::string_view& text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take_token(std::string_view& text) noexcept {
    std::size_t n = 0;
    while (n < text.size() && is_token_char(text[n])) ++n;
    text.remove_prefix(n);
    return n > 0;
}

bool take_quoted_string(std::string_view& text) noexcept {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\') ++i;
    }
    return false;
}

}  // namespace

std::string_view trim_ows(std::string_view text) noexcept {
    skip_ows(text);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string_view next_list_element(std::string_view& rest) noexcept {
    bool quoted = false;
    std::size_t i = 0;
    for (; i < rest.size(); ++i) {
        if (quoted && rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            quoted = !quoted;
        } else if (rest[i] == ',' && !quoted) {
            break;
        }
    }
    const std::string_view element = rest.substr(0, i);
    rest.remove_prefix(i < rest.size() ? i + 1 : rest.size());
    return trim_ows(element);
}

bool is_host_and_port(std::string_view text) noexcept {
    std::string_view host = text;
    std::string_view port;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return false;
        host = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!is_ipv6(host) && !is_ip_future(host)) return false;
    } else {
        const std::size_t colon = text.find(':');
        if (colon != std::string_view::npos) {
            host = text.substr(0, colon);
            port = text.substr(colon);
        }
        if (!is_reg_name(host)) return false;
    }
    if (port.empty()) return true;
    if (port.front() != ':' || port.size() > 6) return false;
    unsigned value = 0;
    for (const char c : port.substr(1)) {
        if (!is_digit(c)) return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65535;
}

bool is_chunk_extension(std::string_view text) noexcept {
    while (!text.empty()) {
        skip_ows(text);
        if (text.empty() || text.front() != ';') return false;
        text.remove_prefix(1);
        skip_ows(text);
        if (!take_token(text)) return false;
        std::string_view after = text;
        skip_ows(after);
        if (after.empty() || after.front() != '=') continue;
        after.remove_prefix(1);
        skip_ows(after);
        const bool taken = !after.empty() && after.front() == '"' ? take_quoted_string(after) : take_token(after);
        if (!taken) return false;
        text = after;
    }
    return true;
}

}  // namespace parley::wire
