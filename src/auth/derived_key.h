#pragma once
#include <string>
#include <string_view>

namespace parley::auth {

/// A key of 32 bytes for something else than tokens, made from `auth.secret` (raw or `base64:…`): whoever sees what it
/// signs learns nothing of the secret. The same secret and purpose give the same key on every server.
[[nodiscard]] std::string derive_key(std::string_view secret, std::string_view purpose);

/// HMAC-SHA256. Empty when OpenSSL fails.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);
/// In constant time: how much of it is right does not show.
[[nodiscard]] bool same_bytes(std::string_view a, std::string_view b) noexcept;

}  // namespace parley::auth
