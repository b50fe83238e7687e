#include "base/mac.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

namespace parley {

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

}  // namespace parley
