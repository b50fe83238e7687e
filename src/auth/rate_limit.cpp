#include "auth/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "auth/encoding.h"

namespace parley::auth {
namespace {

constexpr std::size_t kSlotsLookedAt = 32;

std::int64_t nanoseconds(SteadyTime time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

RateBucket::RateBucket(Rate limit) noexcept
    : interval_(std::chrono::nanoseconds{limit.per}.count() / std::max<std::int64_t>(limit.count, 1)),
      tolerance_(interval_ * limit.count) {}

std::optional<milliseconds> RateBucket::take(SteadyTime time, std::uint32_t cost) {
    const std::int64_t now = nanoseconds(time);
    std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t next = std::max(full_at, now) + interval_ * cost;
        if (const std::int64_t over = next - now - tolerance_; over > 0) {
            return std::chrono::ceil<milliseconds>(std::chrono::nanoseconds{over});
        }
        if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return std::nullopt;
    }
}

bool RateBucket::is_idle(SteadyTime now) const noexcept { return full_at() <= nanoseconds(now); }

void RateBucket::empty_until(SteadyTime at) noexcept {
    const std::int64_t until = nanoseconds(at);
    std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
    while (full_at < until && !full_at_.compare_exchange_weak(full_at, until, std::memory_order_relaxed)) {
    }
}

SharedBucket::SharedBucket(Rate limit, std::string name, cache::SessionCache& cache)
    : RateBucket(limit),
      name_(std::move(name)),
      cache_(cache),
      part_(std::max(limit.count / kParts, 1U)),
      per_(limit.per) {}

std::optional<milliseconds> SharedBucket::take(SteadyTime now, std::uint32_t cost) {
    if (auto wait = RateBucket::take(now, cost)) return wait;
    std::uint32_t taken = 0;
    SteadyTime since;
    {
        const std::lock_guard lock{mutex_};
        if (untold_ == 0 || now - since_ > per_) {
            untold_ = 0;
            since_ = now;
        }
        untold_ += cost;
        if (untold_ < part_) return std::nullopt;
        taken = std::exchange(untold_, 0);
        since = since_;
    }
    tell(taken, since, now);
    return std::nullopt;
}

void SharedBucket::tell(std::uint32_t taken, SteadyTime since, SteadyTime now) {
    using std::chrono::microseconds;
    const auto cost = std::chrono::duration_cast<microseconds>(taken * interval());
    const auto age = std::chrono::duration_cast<microseconds>(now - since);
    // A member's or address's bytes, whatever they are, as a key of one length.
    cache_.spend("rate:" + sha256_hex(name_), cost, std::max(age, microseconds{0}),
                 [weak = weak_from_this(), now](Result<microseconds> left) {
                     const auto self = weak.lock();
                     if (left && self) self->empty_until(now + *left);
                 });
}

RateTable::RateTable(Rate limit, std::size_t max_keys, std::string_view kind, cache::SessionCache* cache)
    : limit_(limit),
      max_per_stripe_(std::max<std::size_t>(max_keys / std::tuple_size_v<decltype(stripes_)>, 1)),
      kind_(kind),
      cache_(cache) {}

std::shared_ptr<RateBucket> RateTable::make_bucket(std::string_view key) const {
    if (cache_ == nullptr) return std::make_shared<RateBucket>(limit_);
    return std::make_shared<SharedBucket>(limit_, std::string{kind_}.append(" ").append(key), *cache_);
}

std::shared_ptr<RateBucket> RateTable::bucket(std::string_view key, SteadyTime now) {
    Stripe& stripe = stripes_[Hash{}(key) / 64 % stripes_.size()];
    const std::lock_guard lock{stripe.mutex};
    if (const auto found = stripe.buckets.find(key); found != stripe.buckets.end()) return found->second;
    if (stripe.buckets.size() >= max_per_stripe_) make_room(stripe, now);
    return stripe.buckets.emplace(key, make_bucket(key)).first->second;
}

/// Looks at a few slots only, so that a flood of new keys costs each of them the same small amount.
void RateTable::make_room(Stripe& stripe, SteadyTime now) {
    Map& map = stripe.buckets;
    const std::string* fullest = nullptr;
    std::int64_t fullest_at = INT64_MAX;
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < std::min(kSlotsLookedAt, map.bucket_count()); ++i) {
        const std::size_t slot = stripe.hand++ % map.bucket_count();
        for (auto it = map.begin(slot); it != map.end(slot);) {
            const auto& entry = *it++;
            if (entry.second.use_count() > 1) continue;
            if (entry.second->is_idle(now)) {
                map.erase(map.find(entry.first));
                ++dropped;
            } else if (entry.second->full_at() < fullest_at) {
                fullest_at = entry.second->full_at();
                fullest = &entry.first;
            }
        }
    }
    if (dropped == 0 && fullest != nullptr) map.erase(map.find(*fullest));
}

std::size_t RateTable::size() const {
    std::size_t total = 0;
    for (const auto& stripe : stripes_) {
        const std::lock_guard lock{stripe.mutex};
        total += stripe.buckets.size();
    }
    return total;
}

SendRate::SendRate(Rate session, std::shared_ptr<RateBucket> member)
    : session_(std::make_unique<RateBucket>(session)), member_(std::move(member)) {}

std::optional<milliseconds> SendRate::take(SteadyTime now, std::uint32_t messages) {
    if (!session_) return std::nullopt;
    if (auto wait = session_->take(now, messages)) return wait;
    return member_->take(now, messages);
}

RateLimits::RateLimits(const RateOptions& options, cache::SessionCache* shared)
    : options_(options),
      members_(options.send_member, options.max_keys, "send", shared),
      handshakes_(options.handshake_address, options.max_keys, "handshake", shared),
      logins_(options.login_address, options.max_keys, "login", shared),
      rooms_(options.room_member, options.max_keys, "room", shared) {}

SendRate RateLimits::send(std::string_view member, SteadyTime now) {
    return options_.enabled ? SendRate{options_.send_session, members_.bucket(member, now)} : SendRate{};
}

std::optional<milliseconds> RateLimits::handshake(std::string_view address, SteadyTime now) {
    return options_.enabled ? handshakes_.take(address_key(address), now) : std::nullopt;
}

std::optional<milliseconds> RateLimits::login(std::string_view address, SteadyTime now) {
    return options_.enabled ? logins_.take(address_key(address), now) : std::nullopt;
}

std::optional<milliseconds> RateLimits::room_creation(std::string_view member, SteadyTime now) {
    return options_.enabled ? rooms_.take(member, now) : std::nullopt;
}

std::string address_key(std::string_view address) {
    std::string text{address};
    in6_addr v6{};
    if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        std::array<char, INET_ADDRSTRLEN> v4{};
        inet_ntop(AF_INET, &v6.s6_addr[12], v4.data(), v4.size());
        return v4.data();
    }
    return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

}  // namespace parley::auth
