#include "auth/jwt_keys.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>

#include "auth/encoding.h"

namespace parley::auth {
namespace {

template <auto free>
struct Freer {
    template <class T>
    void operator()(T* p) const noexcept {
        free(p);
    }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using EcSigPtr = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;

constexpr std::size_t kCoordinate = 32;  // P-256

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const EVP_MD* hmac_digest(std::string_view algorithm) {
    if (algorithm == "HS256") return EVP_sha256();
    if (algorithm == "HS384") return EVP_sha384();
    if (algorithm == "HS512") return EVP_sha512();
    return nullptr;
}

class HmacKey final : public SigningKey {
public:
    HmacKey(const EVP_MD* digest, std::string secret) : digest_(digest), secret_(std::move(secret)) {}
    ~HmacKey() override { OPENSSL_cleanse(secret_.data(), secret_.size()); }

    [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const override {
        const std::string expected = sign(text);
        return !expected.empty() && signature.size() == expected.size() &&
               CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
    }
    [[nodiscard]] bool can_sign() const override { return true; }
    [[nodiscard]] std::string sign(std::string_view text) const override {
        std::string mac(EVP_MAX_MD_SIZE, '\0');
        unsigned int length = 0;
        if (HMAC(digest_, secret_.data(), static_cast<int>(secret_.size()), bytes(text), text.size(), bytes(mac),
                 &length) == nullptr) {
            return {};
        }
        mac.resize(length);
        return mac;
    }

private:
    const EVP_MD* digest_;
    std::string secret_;
};

class PublicKeyPair final : public SigningKey {
public:
    PublicKeyPair(KeyPtr key, bool is_private) : key_(std::move(key)), is_private_(is_private) {}

    [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const override {
        const std::string stored = is_ec() ? ec_to_der(signature) : std::string{signature};
        const DigestPtr context{EVP_MD_CTX_new()};
        const bool valid = !stored.empty() && context &&
                           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                           EVP_DigestVerify(context.get(), bytes(stored), stored.size(), bytes(text), text.size()) == 1;
        ERR_clear_error();
        return valid;
    }
    [[nodiscard]] bool can_sign() const override { return is_private_; }
    [[nodiscard]] std::string sign(std::string_view text) const override {
        const DigestPtr context{EVP_MD_CTX_new()};
        std::size_t length = 0;
        if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
            EVP_DigestSign(context.get(), nullptr, &length, bytes(text), text.size()) != 1) {
            return {};
        }
        std::string signature(length, '\0');
        if (EVP_DigestSign(context.get(), bytes(signature), &length, bytes(text), text.size()) != 1) return {};
        signature.resize(length);
        return is_ec() ? ec_from_der(signature) : signature;
    }

private:
    [[nodiscard]] bool is_ec() const { return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC; }

    // RFC 7518 section 3.4 wants r and s side by side, OpenSSL a DER sequence of them.
    static std::string ec_to_der(std::string_view raw) {
        if (raw.size() != 2 * kCoordinate) return {};
        const EcSigPtr pair{ECDSA_SIG_new()};
        BIGNUM* r = BN_bin2bn(bytes(raw), kCoordinate, nullptr);
        BIGNUM* s = BN_bin2bn(bytes(raw) + kCoordinate, kCoordinate, nullptr);
        if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
            BN_free(r);
            BN_free(s);
            return {};
        }
        const int length = i2d_ECDSA_SIG(pair.get(), nullptr);
        if (length <= 0) return {};
        std::string der(static_cast<std::size_t>(length), '\0');
        unsigned char* out = bytes(der);
        i2d_ECDSA_SIG(pair.get(), &out);
        return der;
    }
    static std::string ec_from_der(std::string_view der) {
        const unsigned char* in = bytes(der);
        const EcSigPtr pair{d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()))};
        std::string raw(2 * kCoordinate, '\0');
        if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes(raw), kCoordinate) < 0 ||
            BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes(raw) + kCoordinate, kCoordinate) < 0) {
            return {};
        }
        return raw;
    }

    KeyPtr key_;
    bool is_private_;
};

// Without it OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

KeyPtr read_pem(const std::string& file, bool want_private) {
    const BioPtr in{BIO_new_file(file.c_str(), "r")};
    if (!in) return nullptr;
    return KeyPtr{want_private ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr)
                               : PEM_read_bio_PUBKEY(in.get(), nullptr, no_passphrase, nullptr)};
}

bool fits(const EVP_PKEY* key, std::string_view algorithm) {
    if (algorithm == "RS256") return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= 2048;
    std::array<char, 32> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length) == "prime256v1";
}

}  // namespace

bool is_hmac_algorithm(std::string_view algorithm) { return hmac_digest(algorithm) != nullptr; }

Result<std::unique_ptr<SigningKey>> make_hmac_key(std::string_view algorithm, std::string_view secret,
                                                  const std::string& setting) {
    static constexpr std::string_view kPrefix = "base64:";
    std::string raw{secret};
    if (secret.starts_with(kPrefix)) {
        auto decoded = from_base64_lenient(secret.substr(kPrefix.size()));
        if (!decoded) return fail(Code::kBadRequest, setting + ": what follows base64: is not base64");
        raw = std::move(*decoded);
    }
    if (raw.size() < 32) {
        return fail(Code::kBadRequest,
                    setting + ": at least 32 bytes are needed, this has " + std::to_string(raw.size()));
    }
    return std::make_unique<HmacKey>(hmac_digest(algorithm), std::move(raw));
}

Result<std::unique_ptr<SigningKey>> load_pem_key(std::string_view algorithm, const std::string& file,
                                                 const std::string& setting) {
    KeyPtr key = read_pem(file, true);
    const bool is_private = key != nullptr;
    if (!key) key = read_pem(file, false);
    ERR_clear_error();
    if (!key) return fail(Code::kBadRequest, setting + ": no unencrypted PEM key can be read from " + file);
    if (!fits(key.get(), algorithm)) {
        const char* wanted = algorithm == "RS256" ? "an RSA key of 2048 bits or more" : "a P-256 key";
        return fail(Code::kBadRequest,
                    setting + ": " + std::string{algorithm} + " needs " + wanted + ", " + file + " holds another");
    }
    return std::make_unique<PublicKeyPair>(std::move(key), is_private);
}

}  // namespace parley::auth
