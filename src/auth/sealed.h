#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::auth {

/// AES-256-GCM with a key that seals one text only (its nonce is zero). `key` has 32 bytes. Empty when OpenSSL fails.
[[nodiscard]] std::string seal_once(std::string_view key, std::string_view text);
/// nullopt unless `sealed` is what seal_once() made with the same key.
[[nodiscard]] std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed);

}  // namespace parley::auth
