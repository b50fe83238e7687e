#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::wire {

/// Whether the whole of `text` is UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;
/// `text`, or a copy of it in `repaired` with U+FFFD for each byte that is none.
[[nodiscard]] std::string_view as_utf8(std::string_view text, std::string& repaired);

/// Checks UTF-8 that arrives in pieces, refusing at the first byte that no continuation can mend.
/// Thread: that of its owner. Three bytes of state, no heap.
class Utf8Validator {
public:
    /// False as soon as what was fed since reset() is no prefix of valid UTF-8; stays false.
    [[nodiscard]] bool feed(std::string_view piece) noexcept;
    /// Whether what was fed so far ends with a whole character.
    [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }
    void reset() noexcept { *this = Utf8Validator{}; }

private:
    bool step(unsigned char byte) noexcept;

    static constexpr std::uint8_t kBroken = 0xFF;
    std::uint8_t missing_ = 0;  ///< continuation bytes still to come, or kBroken
    std::uint8_t low_ = 0x80;   ///< bounds of the next continuation byte (Unicode table 3-7)
    std::uint8_t high_ = 0xBF;
};

}  // namespace parley::wire
