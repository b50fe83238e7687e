#pragma once
#include <array>
#include <string>
#include <string_view>

namespace parley::auth {

/// SHA-256 of a token in 32 bytes: what a session keeps of it, to know it again when it is revoked.
class TokenHash {
public:
    TokenHash() = default;  ///< of no token
    /// `hex`: 64 lower-case digits; anything else gives the hash of no token.
    static TokenHash from_hex(std::string_view hex) noexcept;
    [[nodiscard]] std::string hex() const;
    [[nodiscard]] bool empty() const noexcept { return *this == TokenHash{}; }
    friend bool operator==(const TokenHash&, const TokenHash&) = default;

private:
    std::array<unsigned char, 32> bytes_{};
};

}  // namespace parley::auth
