#include "wire/json_escapes.h"

#include "wire/http_grammar.h"

namespace parley::wire {
namespace {

/// The value of `\uXXXX` at `at`, or -1.
int unicode_escape(std::string_view json, std::size_t at) noexcept {
    if (json.size() < 6 || at > json.size() - 6 || json[at] != '\\' || json[at + 1] != 'u') return -1;
    int value = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
        const int digit = hex_value(json[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

constexpr bool is_high(int unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low(int unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

}  // namespace

std::size_t find_lone_surrogate(std::string_view json, std::size_t from) noexcept {
    for (std::size_t at = json.find('\\', from); at != std::string_view::npos; at = json.find('\\', at)) {
        const int unit = unicode_escape(json, at);
        if (unit < 0) {
            at += 2;
        } else if (is_high(unit) && is_low(unicode_escape(json, at + 6))) {
            at += 12;
        } else if (is_high(unit) || is_low(unit)) {
            return at;
        } else {
            at += 6;
        }
    }
    return std::string_view::npos;
}

std::optional<std::string> replace_lone_surrogates(std::string_view json) {
    std::size_t at = find_lone_surrogate(json);
    if (at == std::string_view::npos) return std::nullopt;
    std::string out{json};
    for (; at != std::string_view::npos; at = find_lone_surrogate(out, at + 6)) out.replace(at, 6, "\\ufffd");
    return out;
}

}  // namespace parley::wire
