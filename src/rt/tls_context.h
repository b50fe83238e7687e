#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;

namespace parley::rt {

/// What the connections of a TLS listener have in common: certificates with their keys, versions, ciphers, and the key
/// of the tickets by which clients resume. Immutable; any thread may use one. It is replaced as a whole, and
/// connections keep the one they began with.
class TlsContext {
public:
    /// PEM files. Several certificates are of several kinds (ECDSA, RSA), each with its chain behind it; keys[i]
    /// belongs to certificates[i].
    struct Files {
        std::vector<std::string> certificates;
        std::vector<std::string> keys;
        bool only_tls_1_3 = false;
    };
    /// Error: which file cannot be used, and why. A key's contents are in no message.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(const Files& files);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// For the log: `EC localhost until 2036-11-18; RSA …`, and `expired` where that has passed.
    [[nodiscard]] const std::string& summary() const noexcept { return summary_; }
    [[nodiscard]] ssl_ctx_st* native() const noexcept { return context_; }

private:
    explicit TlsContext(ssl_ctx_st* context) noexcept : context_(context) {}
    ssl_ctx_st* context_;
    std::string summary_;
};

/// A certificate for trying things out, and its key, both PEM: names localhost, 127.0.0.1 and ::1, ECDSA P-256.
struct SelfSigned {
    std::string certificate;
    std::string key;
};
[[nodiscard]] Result<SelfSigned> make_self_signed();

/// What OpenSSL last complained of on this thread, in words. Its list of complaints is empty afterwards.
[[nodiscard]] std::string openssl_problem();

}  // namespace parley::rt
