#include "cache/memory_cache.h"

#include <algorithm>
#include <cstdlib>

namespace parley::cache {
namespace {

constexpr std::size_t kBookKeeping = 192;  // two nodes and their pointers, about

std::size_t cost(const std::string& key, const std::string& value) { return key.size() + value.size() + kBookKeeping; }

std::string revocation_key(const std::string& token_sha256_hex) { return "blacklist:" + token_sha256_hex; }

}  // namespace

void MemoryCache::revoke(const std::string& token_sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done) {
    put(revocation_key(token_sha256_hex), "1", expires, std::move(done));
}

void MemoryCache::is_revoked(const std::string& token_sha256_hex, UniqueFunction<void(Result<bool>)> done) {
    bool revoked = false;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        revoked = entries_.contains(revocation_key(token_sha256_hex));
    }
    done(revoked);
}

void MemoryCache::is_any_revoked(const std::vector<std::string>& token_sha256_hex,
                                 UniqueFunction<void(Result<bool>)> done) {
    bool revoked = false;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        revoked = std::ranges::any_of(token_sha256_hex,
                                      [&](const std::string& hash) { return entries_.contains(revocation_key(hash)); });
    }
    done(revoked);
}

void MemoryCache::put(const std::string& key, const std::string& value, WallTime expires,
                      UniqueFunction<void(Result<>)> done) {
    Result<> stored;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        stored = store(key, value, expires);
    }
    done(std::move(stored));
}

Result<> MemoryCache::store(const std::string& key, const std::string& value, WallTime expires) {
    if (const auto old = entries_.find(key); old != entries_.end()) erase(old);
    const std::size_t needed = cost(key, value);
    if (needed > limit_.count) return fail(Code::kAuthUnavailable, "the value is larger than the session cache");
    while (used_ + needed > limit_.count) erase(entries_.find(*by_expiry_.begin()->second));
    const auto entry = entries_.emplace(key, Entry{value, expires}).first;
    by_expiry_.emplace(expires, &entry->first);
    used_ += needed;
    return {};
}

void MemoryCache::take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    std::optional<std::string> value;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        if (const auto entry = entries_.find(key); entry != entries_.end()) {
            value = entry->second.value;
            erase(entry);
        }
    }
    done(std::move(value));
}

void MemoryCache::claim(const std::string& key, const std::string& value, WallTime expires,
                        UniqueFunction<void(Result<std::string>)> done) {
    Result<std::string> there = value;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        if (const auto entry = entries_.find(key); entry != entries_.end() && entry->second.value != value) {
            there = entry->second.value;
        } else if (auto stored = store(key, value, expires); !stored) {
            there = fail(std::move(stored.error()));
        }
    }
    done(std::move(there));
}

void MemoryCache::get(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    std::optional<std::string> value;
    {
        const std::lock_guard lock{mutex_};
        sweep(clock_.wall());
        if (const auto entry = entries_.find(key); entry != entries_.end()) value = entry->second.value;
    }
    done(std::move(value));
}

void MemoryCache::release(const std::string& key, const std::string& value, UniqueFunction<void(Result<>)> done) {
    {
        const std::lock_guard lock{mutex_};
        if (const auto entry = entries_.find(key); entry != entries_.end() && entry->second.value == value)
            erase(entry);
    }
    done({});
}

void MemoryCache::spend(const std::string& key, std::chrono::microseconds cost, std::chrono::microseconds age,
                        UniqueFunction<void(Result<std::chrono::microseconds>)> done) {
    Result<std::chrono::microseconds> left;
    {
        const std::lock_guard lock{mutex_};
        const std::chrono::microseconds now = clock_.wall().time_since_epoch();
        sweep(clock_.wall());
        std::chrono::microseconds full_at = now - age;
        if (const auto entry = entries_.find(key); entry != entries_.end()) {
            full_at = std::max(full_at, std::chrono::microseconds{std::atoll(entry->second.value.c_str())});
        }
        full_at += cost;
        left = std::max(full_at - now, std::chrono::microseconds{0});
        const WallTime expires{std::chrono::ceil<milliseconds>(full_at)};
        if (auto stored = store(key, std::to_string(full_at.count()), expires); !stored) {
            left = fail(std::move(stored.error()));
        }
    }
    done(std::move(left));
}

void MemoryCache::sweep(WallTime now) {
    while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) erase(entries_.find(*by_expiry_.begin()->second));
}

void MemoryCache::erase(Map::iterator entry) {
    used_ -= cost(entry->first, entry->second.value);
    by_expiry_.erase({entry->second.expires, &entry->first});
    entries_.erase(entry);
}

std::size_t MemoryCache::size() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
}

}  // namespace parley::cache
