#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::auth {

/// Argon2id hashes of passwords (RFC 9106), in the encoded form that carries its own parameters.
///
/// Thread: any; immutable. Every call takes tens of milliseconds and `memory_kib` of memory: on a small pool, never on
/// a loop.
class Passwords {
public:
    /// The defaults are OWASP's: 19 MiB, two passes, one lane.
    struct Options {
        std::uint32_t memory_kib = 19 * 1024;
        std::uint32_t passes = 2;
        std::uint32_t lanes = 1;
    };
    Passwords();
    explicit Passwords(const Options& options);

    /// Error kInternal when memory is short.
    [[nodiscard]] Result<std::string> hash(std::string_view password) const;
    /// False for a wrong password and for a hash that is none.
    [[nodiscard]] bool verify(std::string_view password, const std::string& hash) const;
    /// For names that do not exist: takes as long as verify() and answers nothing.
    void verify_decoy(std::string_view password) const;

private:
    Options options_;
    std::string decoy_;
};

}  // namespace parley::auth
