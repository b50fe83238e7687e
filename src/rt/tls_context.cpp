#include "rt/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string_view>

namespace parley::rt {
namespace {

/// Only what has forward secrecy and an AEAD. AES of 128 bits first: it is the cheapest and safe.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
/// One protocol, length before it, as ALPN writes it.
constexpr std::string_view kAlpn{"\x08http/1.1"};
constexpr int kSelfSignedDays = 3650;

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

Owned<BIO, BIO_free_all> memory() { return Owned<BIO, BIO_free_all>{::BIO_new(::BIO_s_mem())}; }

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                    unsigned offered_length, void*) {
    unsigned char* chosen = nullptr;
    const int found = ::SSL_select_next_proto(&chosen, length, reinterpret_cast<const unsigned char*>(kAlpn.data()),
                                              kAlpn.size(), offered, offered_length);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A key with a pass phrase is refused: nobody is there to type it.
int no_pass_phrase(char*, int, int, void*) { return -1; }

std::string describe(X509* certificate) {
    std::string name(256, '\0');
    const int size = ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName, name.data(),
                                                 static_cast<int>(name.size()));
    name.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    std::tm until{};
    ::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &until);
    const char* kind = ::OBJ_nid2sn(::EVP_PKEY_get_base_id(::X509_get0_pubkey(certificate)));
    return fmt::format("{} {} until {:04}-{:02}-{:02}{}", std::string_view{kind} == "id-ecPublicKey" ? "EC" : "RSA",
                       name.empty() ? "(no common name)" : name, until.tm_year + 1900, until.tm_mon + 1, until.tm_mday,
                       ::X509_cmp_current_time(::X509_get0_notAfter(certificate)) < 0 ? " (expired)" : "");
}

bool add_extension(X509* certificate, int id, const char* value) {
    const Owned<X509_EXTENSION, X509_EXTENSION_free> extension{::X509V3_EXT_conf_nid(nullptr, nullptr, id, value)};
    return extension != nullptr && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key) {
    const Owned<BIGNUM, BN_free> serial{::BN_new()};
    X509_NAME* const name = ::X509_get_subject_name(certificate);
    return ::X509_set_version(certificate, 2) == 1 &&
           ::BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           ::BN_to_ASN1_INTEGER(serial.get(), ::X509_get_serialNumber(certificate)) != nullptr &&
           ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -86'400) != nullptr &&
           ::X509_time_adj_ex(::X509_getm_notAfter(certificate), kSelfSignedDays, 0, nullptr) != nullptr &&
           ::X509_set_pubkey(certificate, key) == 1 &&
           ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                                        -1, -1, 0) == 1 &&
           ::X509_set_issuer_name(certificate, name) == 1 &&
           add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           ::X509_sign(certificate, key, ::EVP_sha256()) > 0;
}

}  // namespace

std::string openssl_problem() {
    const unsigned long code = ::ERR_peek_error();
    const char* const reason = code == 0                ? nullptr
                               : ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code))
                                                        : ::ERR_reason_error_string(code);
    std::string out = reason != nullptr ? reason : "an error without a name";
    ::ERR_clear_error();
    return out;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const Files& files) {
    ::ERR_clear_error();
    const auto refuse = [](const std::string& what) {
        return fail(Code::kInternal, fmt::format("{}: {}", what, openssl_problem()));
    };
    ssl_ctx_st* const context = ::SSL_CTX_new(::TLS_server_method());
    if (context == nullptr) return refuse("TLS");
    std::shared_ptr<TlsContext> out{new TlsContext{context}};
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_COMPRESSION);
    ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // Clients keep their sessions themselves, in tickets: nothing of one that has gone stays here.
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    ::SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
    if (::SSL_CTX_set_min_proto_version(context, files.only_tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
        ::SSL_CTX_set_cipher_list(context, kCiphers12) != 1 || ::SSL_CTX_set_ciphersuites(context, kCiphers13) != 1 ||
        ::SSL_CTX_set1_groups_list(context, kGroups) != 1) {
        return refuse("TLS");
    }
    std::vector<int> kinds;
    for (std::size_t i = 0; i < files.certificates.size(); ++i) {
        const std::string& certificate = files.certificates[i];
        const std::string& key = files.keys[i];
        if (::SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) return refuse(certificate);
        if (::SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) return refuse(key);
        if (::SSL_CTX_check_private_key(context) != 1) return refuse(key);
        X509* const leaf = ::SSL_CTX_get0_certificate(context);
        kinds.push_back(::EVP_PKEY_get_base_id(::X509_get0_pubkey(leaf)));
        if (std::count(kinds.begin(), kinds.end(), kinds.back()) > 1) {
            return fail(Code::kInternal, certificate + ": a certificate of this kind was given already");
        }
        out->summary_ += (i == 0 ? "" : "; ") + describe(leaf);
    }
    return out;
}

TlsContext::~TlsContext() { ::SSL_CTX_free(context_); }

Result<SelfSigned> make_self_signed() {
    ::ERR_clear_error();
    const Owned<EVP_PKEY, EVP_PKEY_free> key{EVP_EC_gen("P-256")};
    const Owned<X509, X509_free> certificate{::X509_new()};
    const auto certificate_text = memory();
    const auto key_text = memory();
    if (key == nullptr || certificate == nullptr || certificate_text == nullptr || key_text == nullptr ||
        !fill(certificate.get(), key.get()) || ::PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
        ::PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return fail(Code::kInternal, "a certificate cannot be made: " + openssl_problem());
    }
    return SelfSigned{text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace parley::rt
