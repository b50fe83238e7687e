#include "auth/derived_key.h"

#include "auth/encoding.h"
#include "base/mac.h"

namespace parley::auth {

std::string derive_key(std::string_view secret, std::string_view purpose) {
    static constexpr std::string_view kPrefix = "base64:";
    if (secret.starts_with(kPrefix)) {
        if (const auto raw = from_base64_lenient(secret.substr(kPrefix.size()))) return hmac_sha256(*raw, purpose);
    }
    return hmac_sha256(secret, purpose);
}

}  // namespace parley::auth
