#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::auth {

/// Who a token speaks for, cleaned and checked.
struct Claims {
    MemberId member{};
    std::string nickname{};  ///< 1–64 characters, valid UTF-8, no control characters
    WallTime expires{};
    std::optional<WallTime> issued_at{};
    bool guest = false;  ///< made by the public profile, never by a token
};

struct VerifiedToken {
    Claims claims;
    std::string sha256_hex;  ///< of the whole token: how revocations name it
};

struct TokenOptions {
    std::string algorithm = "HS256";  ///< HS256, HS384, HS512, RS256 or ES256
    std::string secret{};             ///< HS*: at least 32 bytes, raw or `base64:…`
    std::string secret_previous{};    ///< also accepted, for rotation; empty: none
    std::string public_key{};         ///< RS256, ES256: PEM file; a private key can sign, a public one only verify
    std::string public_key_previous{};
};

class SigningKey;  // jwt_keys.h

/// Verifies and makes the tokens of protocol.md section 2.
///
/// Thread: any; immutable once loaded. Verifying takes 5 µs (HS256) to 75 µs (ES256), no IO: fine on a loop.
/// Order:  the algorithm is the configured one; a token's own `alg` must equal it and chooses nothing.
/// Limit:  tokens of at most 8 KiB.
/// Fails:  kAuthInvalid, or kAuthExpired where only the time is wrong. No message holds a token or a key.
class TokenKeys {
public:
    /// Error kBadRequest names the key of the configuration that is wrong.
    static Result<TokenKeys> load(const TokenOptions& options);
    ~TokenKeys();
    TokenKeys(TokenKeys&&) noexcept;
    TokenKeys& operator=(TokenKeys&&) noexcept;

    [[nodiscard]] Result<VerifiedToken> verify(std::string_view token, WallTime now) const;
    /// The primary key is more than a public one.
    [[nodiscard]] bool can_sign() const noexcept;
    /// A token of the primary key with id, sub, nickName, iat (with milliseconds, so that it compares exactly with
    /// revoked_before), exp and jti. `claims.expires` and `claims.issued_at` are ignored. Error: kAuthInvalid where
    /// the primary key is a public one.
    [[nodiscard]] Result<std::string> sign(const Claims& claims, WallTime now, milliseconds ttl) const;

private:
    TokenKeys();
    std::string algorithm_;
    std::vector<std::unique_ptr<SigningKey>> keys_;  ///< primary first
};

}  // namespace parley::auth
