#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::auth {

/// RFC 4648 section 5 without padding, as RFC 7515 asks.
[[nodiscard]] std::string base64url(std::string_view bytes);
/// Strict: no padding, no white space, no other alphabet, unused bits zero. nullopt otherwise.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);
/// Either alphabet, padding optional: what people paste into a configuration.
[[nodiscard]] std::optional<std::string> from_base64_lenient(std::string_view text);

[[nodiscard]] std::string sha256(std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace parley::auth
