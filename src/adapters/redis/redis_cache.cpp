#include "adapters/redis/redis_cache.h"

namespace parley::redis {
namespace {

auto unavailable(const Result<Reply>& reply) { return fail(Code::kAuthUnavailable, reply.error().message); }

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

void RedisCache::put(const std::string& key, const std::string& value, WallTime expires,
                     UniqueFunction<void(Result<>)> done) {
    set(prefix_ + key, value, expires, std::move(done));
}

void RedisCache::take(const std::string& key, UniqueFunction<void(Result<std::optional<std::string>>)> done) {
    client_->command({"GETDEL", prefix_ + key}, [done = std::move(done)](Result<Reply> reply) mutable {
        using Taken = std::optional<std::string>;
        if (!reply) {
            done(unavailable(reply));
        } else if (reply->kind == Reply::Kind::kText) {
            done(Taken{std::move(reply->text)});
        } else {
            done(Taken{});
        }
    });
}

}  // namespace parley::redis
