#include "bench/stamp.h"

#include <algorithm>
#include <cstring>

#include "base/utf8_cut.h"

namespace parley::bench {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_hex(std::string& out, std::uint64_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 0xF];
}

/// Eight digits at once: '0'–'9' hold their value in four bits, 'a'–'f' nine less than theirs.
std::uint64_t eight_digits(const char* text) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof word);
    word = (word & 0x0F0F'0F0F'0F0F'0F0FU) + 9 * ((word >> 6) & 0x0101'0101'0101'0101U);
    word = __builtin_bswap64(word);
    word = (word | word >> 4) & 0x00FF'00FF'00FF'00FFU;
    word = (word | word >> 8) & 0x0000'FFFF'0000'FFFFU;
    return (word | word >> 16) & 0xFFFF'FFFFU;
}

/// Words as people write them, so that compression and UTF-8 have something to do.
constexpr std::string_view kTalk =
    " so where do we meet tonight? 오늘 저녁에 어디서 만날까요, at eight or a bit later; bring the others 같이 와요 "
    "and the map, "
    "it was fun last time! 지난번에 정말 재미있었어요 okay then, see you there 그럼 거기서 봐요";
static_assert(kTalk.size() > 64);

}  // namespace

void append_payload(std::string& out, const Stamp& stamp, std::size_t size) {
    out += kStampMark;
    append_hex(out, static_cast<std::uint64_t>(stamp.sent_ns), 16);
    append_hex(out, stamp.sender, 8);
    append_hex(out, stamp.counter, 8);
    std::size_t left = size > kStampSize ? size - kStampSize : 0;
    while (left != 0) {
        // Dots take the place of a character that would be cut in half.
        const std::string_view part = whole_characters(kTalk, left);
        out += part;
        left -= part.size();
        if (part.size() < kTalk.size()) {
            out.append(left, '.');
            return;
        }
    }
}

void append_message_id(std::string& out, const Stamp& stamp) {
    append_hex(out, stamp.sender, 8);
    out += '-';
    append_hex(out, stamp.counter, 8);
    out += '-';
    append_hex(out, static_cast<std::uint64_t>(stamp.sent_ns), 16);
}

bool StampFinder::find(std::string_view message, Stamp& stamp) noexcept {
    std::size_t at = message.size() - from_end_;
    if (from_end_ < kStampSize || from_end_ > message.size() ||
        std::memcmp(message.data() + at, kStampMark.data(), kStampMark.size()) != 0) {
        at = message.find(kStampMark);
        if (at == std::string_view::npos || message.size() - at < kStampSize) return false;
        from_end_ = message.size() - at;
    }
    const char* const digits = message.data() + at + kStampMark.size();
    stamp.sent_ns = static_cast<std::int64_t>(eight_digits(digits) << 32 | eight_digits(digits + 8));
    stamp.sender = static_cast<std::uint32_t>(eight_digits(digits + 16));
    stamp.counter = static_cast<std::uint32_t>(eight_digits(digits + 24));
    return true;
}

std::size_t HintedSearch::behind(std::string_view text) noexcept {
    if (text.size() < at_ + needle_.size() || std::memcmp(text.data() + at_, needle_.data(), needle_.size()) != 0) {
        const std::size_t found = text.find(needle_);
        if (found == std::string_view::npos) return found;
        at_ = found;
    }
    return at_ + needle_.size();
}

std::uint64_t leading_number(std::string_view text, std::size_t& size) noexcept {
    std::uint64_t value = 0;
    size = 0;
    while (size < text.size() && text[size] >= '0' && text[size] <= '9') {
        value = value * 10 + static_cast<std::uint64_t>(text[size++] - '0');
    }
    return value;
}

}  // namespace parley::bench
