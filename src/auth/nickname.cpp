#include "auth/nickname.h"

#include <cstdint>

namespace parley::auth {
namespace {

constexpr std::size_t kMaxCharacters = 64;

struct Decoded {
    std::uint32_t point = 0;
    std::size_t length = 0;  ///< 0: not valid
};

/// One character by the table of RFC 3629 section 4: no surrogates, no overlong forms.
Decoded decode(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || text.size() < length) return {};
    std::uint32_t point = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) return {};
        point = point << 6 | (at(i) & 0x3fU);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return {};
    return {point, length};
}

bool is_hidden(std::uint32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

bool is_space(std::uint32_t point) {
    return point == 0x20 || point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200b) ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

}  // namespace

std::string clean_nickname(std::string_view text) {
    std::string out;
    std::size_t end_of_visible = 0;  // trailing white space lies behind it
    std::size_t characters = 0;
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.length == 0) return {};
        const std::string_view bytes = text.substr(0, next.length);
        text.remove_prefix(next.length);
        if (is_hidden(next.point) || characters == kMaxCharacters || (out.empty() && is_space(next.point))) continue;
        out += bytes;
        ++characters;
        if (!is_space(next.point)) end_of_visible = out.size();
    }
    out.resize(end_of_visible);
    return out;
}

}  // namespace parley::auth
