#pragma once
#include <array>
#include <optional>
#include <string_view>

namespace parley::wire {

/// Character classes and small productions of RFC 9110 and 3986 shared by the HTTP codecs.

constexpr char ascii_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
/// 0–15, or -1.
constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char low = ascii_lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// RFC 9110 5.6.2 `tchar`.
constexpr bool is_token_char(char c) noexcept {
    return is_digit(c) || is_alpha(c) ||
           (c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos);
}
constexpr bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}
/// Allowed inside a field value: HTAB, SP, VCHAR, obs-text.
constexpr bool is_field_char(char c) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return u == '\t' || (u >= 0x20 && u != 0x7f);
}
constexpr bool is_visible_ascii(char c) noexcept { return c > 0x20 && c < 0x7f; }

/// Without SP and HTAB at both ends.
[[nodiscard]] std::string_view trim_ows(std::string_view text) noexcept;
/// Takes the next element off a comma-separated list, trimmed; empty elements come back empty.
/// Commas inside quoted strings do not separate.
[[nodiscard]] std::string_view next_list_element(std::string_view& rest) noexcept;
/// `uri-host [ ":" port ]` with a host that is not empty: IPv6 and IPvFuture in brackets, IPv4 or a
/// registered name. User information is not part of it.
[[nodiscard]] bool is_host_and_port(std::string_view text) noexcept;
/// `chunk-ext` of RFC 9112 7.1.1, including the empty one.
[[nodiscard]] bool is_chunk_extension(std::string_view text) noexcept;

}  // namespace parley::wire
