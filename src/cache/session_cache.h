#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::cache {

/// Short-lived state that servers share: revoked tokens, tickets, whose a session is, rates. Losing it costs comfort,
/// never messages and never a revocation (the Directory has those too).
///
/// Thread: any; calls answer at once from memory or through `done` from another thread (a Redis one), so `done`
///         must only hand over.
/// Fails:  kAuthUnavailable while the cache cannot be asked.
class SessionCache {
public:
    virtual ~SessionCache() = default;

    /// Key `blacklist:<sha256 hex>`: an existing login service may write it.
    virtual void revoke(const std::string& token_sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done) = 0;
    virtual void is_revoked(const std::string& token_sha256_hex, UniqueFunction<void(Result<bool>)> done) = 0;
    /// Whether at least one of them is: of many that are asked after again and again, hardly ever one.
    virtual void is_any_revoked(const std::vector<std::string>& token_sha256_hex,
                                UniqueFunction<void(Result<bool>)> done) = 0;

    /// Stores `value` under `key` until `expires` (single-use tickets and the like).
    virtual void put(const std::string& key, const std::string& value, WallTime expires,
                     UniqueFunction<void(Result<>)> done) = 0;
    /// Reads and removes in one step: of two takers exactly one gets the value.
    virtual void take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) = 0;

    /// Stores `value` under `key` until `expires`, unless another one is there; answers with what is there now. Of many
    /// who claim at once all hear the same; who claims what is theirs already has it for longer.
    virtual void claim(const std::string& key, const std::string& value, WallTime expires,
                       UniqueFunction<void(Result<std::string>)> done) = 0;
    virtual void get(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) = 0;
    /// Removes `key` if `value` is what it has.
    virtual void release(const std::string& key, const std::string& value, UniqueFunction<void(Result<>)> done) = 0;

    /// A token bucket of all servers, `key`: takes what needs `cost` to come back, begun `age` ago at the earliest.
    /// Whatever is taken is taken: answers how long the bucket needs until it is full, which may be any time.
    virtual void spend(const std::string& key, std::chrono::microseconds cost, std::chrono::microseconds age,
                       UniqueFunction<void(Result<std::chrono::microseconds>)> done) = 0;
};

}  // namespace parley::cache
