#include "adapters/redis/redis_cache.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace parley::redis {
namespace {

/// One step each, so that nobody comes between.
constexpr std::string_view kClaim =
    "local v=redis.call('GET',KEYS[1]) if v and v~=ARGV[1] then return v end "
    "redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) return ARGV[1]";
constexpr std::string_view kRelease = "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end";
/// Redis's clock counts, one for all servers. A number of its own would lose digits as text.
constexpr std::string_view kSpend =
    "local t=redis.call('TIME') local now=t[1]*1000000+t[2] "
    "local full=math.max(tonumber(redis.call('GET',KEYS[1]) or 0),now-ARGV[2])+ARGV[1] "
    "if full<=now then return 0 end "
    "redis.call('SET',KEYS[1],string.format('%.0f',full),'PX',math.ceil((full-now)/1000)) return full-now";

auto unavailable(const Result<Reply>& reply) { return fail(Code::kAuthUnavailable, reply.error().message); }

/// What a key holds, of a reply that is a text or nothing.
auto value_to(UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    return [done = std::move(done)](Result<Reply> reply) mutable {
        using Value = std::optional<std::string>;
        if (!reply) {
            done(unavailable(reply));
        } else if (reply->kind == Reply::Kind::kText) {
            done(Value{std::move(reply->text)});
        } else {
            done(Value{});
        }
    };
}

}  // namespace

void RedisCache::set(const std::string& key, const std::string& value, WallTime expires,
                     UniqueFunction<void(Result<>)> done) {
    auto then = [done = std::move(done)](const Result<Reply>& reply) mutable {
        done(reply ? Result<>{} : Result<>{unavailable(reply)});
    };
    // How long, not until when: Redis's clock may differ from ours.
    const auto left = (expires - clock_.wall()).count();
    if (left > 0) {
        client_->command({"SET", key, value, "PX", std::to_string(left)}, std::move(then));
    } else {
        client_->command({"DEL", key}, std::move(then));
    }
}

void RedisCache::revoke(const std::string& token_sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done) {
    set("blacklist:" + token_sha256_hex, "1", expires, std::move(done));
}

void RedisCache::is_revoked(const std::string& token_sha256_hex, UniqueFunction<void(Result<bool>)> done) {
    client_->command({"EXISTS", "blacklist:" + token_sha256_hex},
                     [done = std::move(done)](const Result<Reply>& reply) mutable {
                         done(reply ? Result<bool>{reply->integer != 0} : Result<bool>{unavailable(reply)});
                     });
}

void RedisCache::is_any_revoked(const std::vector<std::string>& token_sha256_hex,
                                UniqueFunction<void(Result<bool>)> done) {
    if (token_sha256_hex.empty()) {
        done(false);  // EXISTS needs a key
        return;
    }
    std::vector<std::string> keys;
    for (const std::string& hash : token_sha256_hex) keys.push_back("blacklist:" + hash);
    std::vector<std::string_view> words{"EXISTS"};
    words.insert(words.end(), keys.begin(), keys.end());
    client_->command_of(words, [done = std::move(done)](const Result<Reply>& reply) mutable {
        done(reply ? Result<bool>{reply->integer != 0} : Result<bool>{unavailable(reply)});
    });
}

void RedisCache::put(const std::string& key, const std::string& value, WallTime expires,
                     UniqueFunction<void(Result<>)> done) {
    set(prefix_ + key, value, expires, std::move(done));
}

void RedisCache::take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    client_->command({"GETDEL", prefix_ + key}, value_to(std::move(done)));
}

void RedisCache::get(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    client_->command({"GET", prefix_ + key}, value_to(std::move(done)));
}

void RedisCache::claim(const std::string& key, const std::string& value, WallTime expires,
                       UniqueFunction<void(Result<std::string>)> done) {
    const auto left = std::max<std::int64_t>(1, (expires - clock_.wall()).count());
    client_->command(
        {"EVAL", kClaim, "1", prefix_ + key, value, std::to_string(left)},
        [done = std::move(done)](Result<Reply> reply) mutable {
            done(reply ? Result<std::string>{std::move(reply->text)} : Result<std::string>{unavailable(reply)});
        });
}

void RedisCache::release(const std::string& key, const std::string& value, UniqueFunction<void(Result<>)> done) {
    client_->command({"EVAL", kRelease, "1", prefix_ + key, value},
                     [done = std::move(done)](const Result<Reply>& reply) mutable {
                         done(reply ? Result<>{} : Result<>{unavailable(reply)});
                     });
}

void RedisCache::spend(const std::string& key, std::chrono::microseconds cost, std::chrono::microseconds age,
                       UniqueFunction<void(Result<std::chrono::microseconds>)> done) {
    client_->command({"EVAL", kSpend, "1", prefix_ + key, std::to_string(cost.count()), std::to_string(age.count())},
                     [done = std::move(done)](const Result<Reply>& reply) mutable {
                         done(reply ? Result<std::chrono::microseconds>{std::chrono::microseconds{reply->integer}}
                                    : Result<std::chrono::microseconds>{unavailable(reply)});
                     });
}

}  // namespace parley::redis
