#pragma once
#include <string>
#include <string_view>

namespace parley {

/// HMAC-SHA256. Empty when OpenSSL fails.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);
/// In constant time: how much of it is right does not show.
[[nodiscard]] bool same_bytes(std::string_view a, std::string_view b) noexcept;

}  // namespace parley
