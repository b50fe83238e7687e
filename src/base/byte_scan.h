#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley {

/// Eight bytes at once. A mask has bits in the bytes that fit; only the lowest of them is sure.
namespace eight {
constexpr std::uint64_t all(unsigned char byte) noexcept { return 0x0101010101010101ULL * byte; }
constexpr std::uint64_t below(std::uint64_t word, unsigned char limit) noexcept {  // limit: up to 128
    return (word - all(limit)) & ~word & all(0x80);
}
constexpr std::uint64_t equal(std::uint64_t word, unsigned char byte) noexcept { return below(word ^ all(byte), 1); }
}  // namespace eight

/// Where the first byte is, from `from` on, that `mask` (of a word of eight) finds; text.size(): nowhere. `mask` does
/// not find the letter x.
template <class Mask>
[[nodiscard]] std::size_t find_byte(std::string_view text, std::size_t from, Mask mask) noexcept {
    constexpr std::size_t kStep = sizeof(std::uint64_t);
    const auto found_in = [&](std::uint64_t word) {
        if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
        const std::uint64_t found = mask(word);
        return found == 0 ? kStep : static_cast<std::size_t>(std::countr_zero(found)) / 8;
    };
    std::uint64_t word = 0;
    for (; from + kStep <= text.size(); from += kStep) {
        std::memcpy(&word, text.data() + from, kStep);
        if (const std::size_t at = found_in(word); at != kStep) return from + at;
    }
    if (from >= text.size()) return text.size();
    std::array<char, kStep> last{'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'};
    for (std::size_t i = from; i < text.size(); ++i) last[i - from] = text[i];
    std::memcpy(&word, last.data(), kStep);
    return std::min(text.size(), from + found_in(word));
}

}  // namespace parley
