#pragma once
#include <string_view>

namespace parley {

/// The beginning of `text`, at most `most` bytes of it, and no character cut in half.
[[nodiscard]] constexpr std::string_view whole_characters(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return text.substr(0, most);
}

}  // namespace parley
