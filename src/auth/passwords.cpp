#include "auth/passwords.h"

#include <argon2.h>
#include <openssl/rand.h>

#include <array>

namespace parley::auth {
namespace {

constexpr std::size_t kSalt = 16;
constexpr std::size_t kHash = 32;

}  // namespace

Passwords::Passwords() : Passwords(Options{}) {}

Passwords::Passwords(const Options& options) : options_(options) {
    if (auto decoy = hash("nobody has this password")) decoy_ = std::move(*decoy);
}

Result<std::string> Passwords::hash(std::string_view password) const {
    std::array<unsigned char, kSalt> salt{};
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
        return fail(Code::kInternal, "the system gives no random bytes");
    }
    std::string encoded(
        argon2_encodedlen(options_.passes, options_.memory_kib, options_.lanes, kSalt, kHash, Argon2_id), '\0');
    const int error =
        argon2id_hash_encoded(options_.passes, options_.memory_kib, options_.lanes, password.data(), password.size(),
                              salt.data(), salt.size(), kHash, encoded.data(), encoded.size());
    if (error != ARGON2_OK) return fail(Code::kInternal, std::string{"Argon2: "} + argon2_error_message(error));
    encoded.resize(encoded.find('\0'));
    return encoded;
}

bool Passwords::verify(std::string_view password, const std::string& hash) const {
    return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

void Passwords::verify_decoy(std::string_view password) const { static_cast<void>(verify(password, decoy_)); }

}  // namespace parley::auth
