#include "wire/utf8.h"

#include <simdjson.h>

namespace parley::wire {
namespace {

constexpr std::size_t kWorthSimd = 32;

/// Where the last, perhaps unfinished, character begins: 1 to 3 bytes before the end, or the end.
std::size_t last_boundary(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte >= 0xC0) return text.size() - back;
        if (byte < 0x80) break;
    }
    return text.size();
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

std::string_view as_utf8(std::string_view text, std::string& repaired) {
    if (is_valid_utf8(text)) return text;
    repaired.clear();
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = 1;
        while (length < 5 && i + length <= text.size() && !is_valid_utf8(text.substr(i, length))) ++length;
        if (length < 5 && i + length <= text.size()) {
            repaired.append(text, i, length);
            i += length;
        } else {
            repaired += "\xEF\xBF\xBD";
            ++i;
        }
    }
    return repaired;
}

bool Utf8Validator::step(unsigned char byte) noexcept {
    if (missing_ == 0) {
        low_ = 0x80;
        high_ = 0xBF;
        if (byte < 0x80) return true;
        if (byte >= 0xC2 && byte <= 0xDF) {
            missing_ = 1;
        } else if (byte >= 0xE0 && byte <= 0xEF) {
            missing_ = 2;
            if (byte == 0xE0) low_ = 0xA0;
            if (byte == 0xED) high_ = 0x9F;
        } else if (byte >= 0xF0 && byte <= 0xF4) {
            missing_ = 3;
            if (byte == 0xF0) low_ = 0x90;
            if (byte == 0xF4) high_ = 0x8F;
        } else {
            missing_ = kBroken;
            return false;
        }
        return true;
    }
    if (missing_ == kBroken || byte < low_ || byte > high_) {
        missing_ = kBroken;
        return false;
    }
    low_ = 0x80;
    high_ = 0xBF;
    --missing_;
    return true;
}

bool Utf8Validator::feed(std::string_view piece) noexcept {
    if (missing_ == kBroken) return false;
    std::size_t at = 0;
    while (at < piece.size() && missing_ != 0) {
        if (!step(static_cast<unsigned char>(piece[at++]))) return false;
    }
    std::string_view rest = piece.substr(at);
    if (rest.size() >= kWorthSimd) {
        const std::size_t cut = last_boundary(rest);
        if (!is_valid_utf8(rest.substr(0, cut))) {
            missing_ = kBroken;
            return false;
        }
        rest.remove_prefix(cut);
    }
    for (const char c : rest) {
        if (!step(static_cast<unsigned char>(c))) return false;
    }
    return true;
}

}  // namespace parley::wire
