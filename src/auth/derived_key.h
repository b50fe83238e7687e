#pragma once
#include <string>
#include <string_view>

namespace parley::auth {

/// A key of 32 bytes for something else than tokens, made from `auth.secret` (raw or `base64:…`): whoever sees what it
/// signs learns nothing of the secret. The same secret and purpose give the same key on every server.
[[nodiscard]] std::string derive_key(std::string_view secret, std::string_view purpose);

}  // namespace parley::auth
