#include "auth/derived_key.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "auth/encoding.h"

namespace parley::auth {

std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::string mac(32, '\0');
    unsigned int length = 0;
    const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                            reinterpret_cast<unsigned char*>(mac.data()), &length);
    return done != nullptr ? mac : std::string{};
}

bool same_bytes(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string derive_key(std::string_view secret, std::string_view purpose) {
    static constexpr std::string_view kPrefix = "base64:";
    if (secret.starts_with(kPrefix)) {
        if (const auto raw = from_base64_lenient(secret.substr(kPrefix.size()))) return hmac_sha256(*raw, purpose);
    }
    return hmac_sha256(secret, purpose);
}

}  // namespace parley::auth
