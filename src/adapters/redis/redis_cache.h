#pragma once
#include <memory>

#include "adapters/redis/client.h"
#include "base/clock.h"
#include "cache/session_cache.h"

namespace parley::redis {

/// The SessionCache of a fleet: Redis's own keys with Redis's own expiry.
///
/// Thread: any; `done` comes on the client's thread.
/// Keys:   `blacklist:<sha256 hex>` as other services write it, everything else below `<prefix>:`.
/// Fails:  kAuthUnavailable while Redis does not answer.
class RedisCache final : public cache::SessionCache {
public:
    /// `clock` must outlive it.
    RedisCache(std::shared_ptr<Client> client, std::string prefix, const Clock& clock)
        : client_(std::move(client)), prefix_(std::move(prefix) + ':'), clock_(clock) {}

    void revoke(const std::string& token_sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done) override;
    void is_revoked(const std::string& token_sha256_hex, UniqueFunction<void(Result<bool>)> done) override;
    void is_any_revoked(const std::vector<std::string>& token_sha256_hex,
                        UniqueFunction<void(Result<bool>)> done) override;
    void put(const std::string& key, const std::string& value, WallTime expires,
             UniqueFunction<void(Result<>)> done) override;
    void take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) override;
    void claim(const std::string& key, const std::string& value, WallTime expires,
               UniqueFunction<void(Result<std::string>)> done) override;
    void get(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) override;
    void release(const std::string& key, const std::string& value, UniqueFunction<void(Result<>)> done) override;
    void spend(const std::string& key, std::chrono::microseconds cost, std::chrono::microseconds age,
               UniqueFunction<void(Result<std::chrono::microseconds>)> done) override;

private:
    void set(const std::string& key, const std::string& value, WallTime expires, UniqueFunction<void(Result<>)> done);

    const std::shared_ptr<Client> client_;
    const std::string prefix_;
    const Clock& clock_;
};

}  // namespace parley::redis
