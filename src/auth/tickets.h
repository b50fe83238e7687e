#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/function.h"
#include "base/result.h"
#include "cache/session_cache.h"

namespace parley::auth {

/// Single-use stand-ins for a token, for `?token=`, so that the token itself stays out of proxy logs.
///
/// A ticket is `t.` and 256 random bits. The token lies in the session cache, encrypted under a key made from the
/// ticket and found by the ticket's hash: who reads the cache learns no token, and who writes it can make none valid.
/// Redeeming gives the token back, so its expiry and revocation hold as ever.
///
/// Thread: any; `done` may come on another one, as the cache says.
/// Fails:  kAuthUnavailable with the cache; kAuthInvalid for a ticket that is unknown, spent or expired.
class Tickets {
public:
    static constexpr seconds kLifetime{30};

    /// Both must outlive it.
    Tickets(cache::SessionCache& cache, const Clock& clock) : cache_(cache), clock_(clock) {}

    /// `token` has been checked by the caller.
    void issue(std::string_view token, UniqueFunction<void(Result<std::string>)> done);
    void redeem(std::string_view ticket, UniqueFunction<void(Result<std::string>)> done);
    /// A token never looks like a ticket: its first part is a JSON object in base64url.
    [[nodiscard]] static bool is_ticket(std::string_view text) { return text.starts_with("t."); }

private:
    cache::SessionCache& cache_;
    const Clock& clock_;
};

}  // namespace parley::auth
