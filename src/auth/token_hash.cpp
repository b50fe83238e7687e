#include "auth/token_hash.h"

#include <cstddef>

namespace parley::auth {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

TokenHash TokenHash::from_hex(std::string_view hex) noexcept {
    TokenHash out;
    if (hex.size() != 2 * out.bytes_.size()) return {};
    for (std::size_t i = 0; i < out.bytes_.size(); ++i) {
        const std::size_t high = kDigits.find(hex[2 * i]);
        const std::size_t low = kDigits.find(hex[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return {};
        out.bytes_[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return out;
}

std::string TokenHash::hex() const {
    std::string out;
    out.reserve(2 * bytes_.size());
    for (const unsigned char byte : bytes_) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

}  // namespace parley::auth
