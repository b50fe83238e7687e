#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/units.h"
#include "cache/session_cache.h"

namespace parley::auth {

/// A token bucket in one word (GCRA): the time at which it will be full again.
/// Thread: any, lock-free. Times may come slightly out of order.
class RateBucket {
public:
    explicit RateBucket(Rate limit) noexcept;
    virtual ~RateBucket() = default;
    /// Takes `cost` and returns nullopt, or takes nothing and returns after how long it would succeed. A cost above
    /// the burst never succeeds.
    virtual std::optional<milliseconds> take(SteadyTime now, std::uint32_t cost = 1);
    /// Full again: indistinguishable from a new one.
    [[nodiscard]] bool is_idle(SteadyTime now) const noexcept;
    [[nodiscard]] std::int64_t full_at() const noexcept { return full_at_.load(std::memory_order_relaxed); }

protected:
    /// Others have taken from it: it is not full before `at`.
    void empty_until(SteadyTime at) noexcept;
    [[nodiscard]] std::chrono::nanoseconds interval() const noexcept { return std::chrono::nanoseconds{interval_}; }

private:
    std::int64_t interval_;   ///< nanoseconds for one
    std::int64_t tolerance_;  ///< nanoseconds for the burst
    std::atomic<std::int64_t> full_at_{INT64_MIN};
};

/// A bucket from which all servers of a fleet take. Nobody waits for the others: each server takes from its own, tells
/// the session cache what it let through, every kParts-th of the burst, and hears what all have.
///
/// Limit:  over time the rate, whatever the number of servers. At once up to the burst of each server, which is paid
///         back before more goes through, and nobody hears of a server that lets through less than a kParts-th of the
///         rate. A server that is alone with a key is as if it had it for itself.
/// Fails:  while the cache is away each server counts for itself.
class SharedBucket final : public RateBucket, public std::enable_shared_from_this<SharedBucket> {
public:
    static constexpr std::uint32_t kParts = 16;
    /// `cache` is not asked any more once nobody takes.
    SharedBucket(Rate limit, std::string name, cache::SessionCache& cache);
    std::optional<milliseconds> take(SteadyTime now, std::uint32_t cost = 1) override;

private:
    void tell(std::uint32_t taken, SteadyTime since, SteadyTime now);

    const std::string name_;
    cache::SessionCache& cache_;
    const std::uint32_t part_;
    const milliseconds per_;
    std::mutex mutex_;
    std::uint32_t untold_ = 0;
    SteadyTime since_{};  ///< when the first of `untold_` was taken
};

/// Buckets by key: member, address.
///
/// Thread: any; a short lock on one stripe to find a bucket, none to take from it. Owns the buckets together with
///         whoever holds one (a session holds its member's).
/// Limit:  about `max_keys`, those held outside not counted. Idle buckets go first, then the fullest of a few.
class RateTable {
public:
    /// With a `cache` the buckets are shared under `kind` and their key.
    RateTable(Rate limit, std::size_t max_keys, std::string_view kind = {}, cache::SessionCache* cache = nullptr);
    [[nodiscard]] std::shared_ptr<RateBucket> bucket(std::string_view key, SteadyTime now);
    std::optional<milliseconds> take(std::string_view key, SteadyTime now) { return bucket(key, now)->take(now); }
    [[nodiscard]] std::size_t size() const;

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Map = std::unordered_map<std::string, std::shared_ptr<RateBucket>, Hash, std::equal_to<>>;
    struct Stripe {
        mutable std::mutex mutex;
        Map buckets;
        std::size_t hand = 0;  ///< the hash slot the next clearing starts at
    };
    static void make_room(Stripe& stripe, SteadyTime now);
    [[nodiscard]] std::shared_ptr<RateBucket> make_bucket(std::string_view key) const;

    const Rate limit_;
    const std::size_t max_per_stripe_;
    const std::string_view kind_;
    cache::SessionCache* const cache_;
    std::array<Stripe, 16> stripes_;
};

struct RateOptions {
    bool enabled = true;
    Rate send_session{.count = 60, .per = milliseconds{3'000}};
    Rate send_member{.count = 120, .per = milliseconds{3'000}};
    Rate handshake_address{.count = 100, .per = milliseconds{5'000}};
    Rate login_address{.count = 10, .per = milliseconds{10'000}};
    Rate room_member{.count = 20, .per = milliseconds{20'000}};
    std::size_t max_keys = 100'000;  ///< of each kind
};

/// What a session holds: its own bucket and its member's, which all its sessions share. One SEND takes from both.
class SendRate {
public:
    SendRate() = default;  ///< no limit
    SendRate(Rate session, std::shared_ptr<RateBucket> member);
    std::optional<milliseconds> take(SteadyTime now, std::uint32_t messages = 1);
    /// Letting go of it now gives nobody more: the session's bucket is full.
    [[nodiscard]] bool is_idle(SteadyTime now) const noexcept { return !session_ || session_->is_idle(now); }

private:
    std::unique_ptr<RateBucket> session_;
    std::shared_ptr<RateBucket> member_;
};

/// All limits of protocol.md section 3. Thread: any. nullopt: go on; else how long to wait (`Retry-After`).
class RateLimits {
public:
    /// `shared`: where the servers of a fleet count together; null for a server that is alone.
    explicit RateLimits(const RateOptions& options, cache::SessionCache* shared = nullptr);
    [[nodiscard]] SendRate send(std::string_view member, SteadyTime now);
    std::optional<milliseconds> handshake(std::string_view address, SteadyTime now);
    std::optional<milliseconds> login(std::string_view address, SteadyTime now);
    std::optional<milliseconds> room_creation(std::string_view member, SteadyTime now);

private:
    const RateOptions options_;
    RateTable members_;
    RateTable handshakes_;
    RateTable logins_;
    RateTable rooms_;
};

/// What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 one (a household has all of them).
[[nodiscard]] std::string address_key(std::string_view address);

}  // namespace parley::auth
