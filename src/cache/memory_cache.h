#pragma once
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/units.h"
#include "cache/session_cache.h"

namespace parley::cache {

/// The SessionCache of a single server: in its memory, gone with it.
///
/// Thread: any; `done` is called before the call returns, on the caller's thread, with no lock held.
/// Limit:  `limit` bytes of keys, values and their book-keeping. Beyond it what would expire first goes first.
/// Fails:  kAuthUnavailable for a value larger than the whole cache, nothing else.
class MemoryCache final : public SessionCache {
public:
    /// `clock` must outlive it.
    explicit MemoryCache(const Clock& clock, Bytes limit = 64_MiB) : clock_(clock), limit_(limit) {}

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

    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::string value;
        WallTime expires;
    };
    using Map = std::unordered_map<std::string, Entry>;

    /// With the lock held, and what has expired swept.
    Result<> store(const std::string& key, const std::string& value, WallTime expires);
    void erase(Map::iterator entry);
    /// Removes what has expired. Amortised: each entry is removed once.
    void sweep(WallTime now);

    const Clock& clock_;
    const Bytes limit_;
    mutable std::mutex mutex_;
    Map entries_;
    std::set<std::pair<WallTime, const std::string*>> by_expiry_;  ///< points at the keys of entries_
    std::size_t used_ = 0;
};

}  // namespace parley::cache
