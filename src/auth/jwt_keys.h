#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::auth {

/// One key bound to one JWS algorithm (RFC 7518 section 3). Thread: any; immutable.
class SigningKey {
public:
    virtual ~SigningKey() = default;
    /// `signature` is the raw form of RFC 7518. HMACs are compared in constant time.
    [[nodiscard]] virtual bool verifies(std::string_view text, std::string_view signature) const = 0;
    [[nodiscard]] virtual bool can_sign() const = 0;
    /// Requires can_sign(). Empty when the library fails.
    [[nodiscard]] virtual std::string sign(std::string_view text) const = 0;
};

[[nodiscard]] bool is_hmac_algorithm(std::string_view algorithm);

/// `secret` raw or `base64:…`; at least 32 bytes. `setting` names it in errors.
Result<std::unique_ptr<SigningKey>> make_hmac_key(std::string_view algorithm, std::string_view secret,
                                                  const std::string& setting);
/// RS256 (2048 bits or more) or ES256 (P-256) from a PEM file, private or public.
Result<std::unique_ptr<SigningKey>> load_pem_key(std::string_view algorithm, const std::string& file,
                                                 const std::string& setting);

}  // namespace parley::auth
