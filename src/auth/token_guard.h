#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/jwt.h"
#include "auth/token_hash.h"
#include "base/clock.h"
#include "base/function.h"
#include "cache/session_cache.h"
#include "rt/work_pool.h"
#include "store/directory.h"

namespace parley::auth {

/// What was revoked: one token, or all tokens of a member from before a time.
struct Revocation {
    std::string sha256_hex;  ///< of a token; empty: the member's
    MemberId member;
    WallTime before;

    [[nodiscard]] bool applies_to(const VerifiedToken& token) const;
};

/// What an open session keeps of its token.
struct HeldToken {
    TokenHash token;
    MemberId member;
    WallTime issued_at;  ///< the epoch where it does not say
};

/// The whole judgement of a token: signature and times, the session cache, and what the directory remembers.
///
/// Thread: any. `done` comes on the caller's thread, a thread of the pool or one of the cache: it only hands over.
/// Owns:   a short memory of what the directory answered, emptied by every revocation made here. Borrows the rest.
/// Order:  a revocation is durable before its `done`, and holds for every check() that begins after it.
///         A check() under way at that moment may still answer yes, so sessions are asked after again by recheck(),
///         which also finds what other servers and login services revoked.
/// Limit:  the pool's queue.
/// Fails:  kAuthInvalid, kAuthExpired; kAuthUnavailable where it cannot be known.
/// After the guard has gone, what is under way answers kAuthUnavailable.
class TokenGuard {
public:
    struct Options {
        bool allow_when_cache_down = false;  ///< `auth.cache_down=allow`: then the directory alone is asked
        bool require_registered = false;     ///< `members.require_registered`
        milliseconds remember{2'000};        ///< how long the directory's answer about a token holds
        std::size_t max_remembered = 100'000;
        bool cache_is_shared = false;      ///< other servers and login services write it
        bool directory_is_shared = false;  ///< other servers do
    };
    /// `pool` must end after the guard; `keys`, `cache`, `directory` and `clock` must outlive the pool.
    TokenGuard(const TokenKeys& keys, cache::SessionCache& cache, store::Directory& directory, rt::WorkPool& pool,
               const Clock& clock, const Options& options);
    ~TokenGuard();
    TokenGuard(const TokenGuard&) = delete;
    TokenGuard& operator=(const TokenGuard&) = delete;

    using Done = UniqueFunction<void(Result<VerifiedToken>)>;
    /// `text` is a token or a ticket; a ticket is spent by this.
    void check(const std::string& text, Done done);
    /// For a session that is open: everything but the signature again. kAuthUnavailable says nothing about the token.
    void recheck(VerifiedToken token, Done done);
    /// Whether tokens may be revoked without this guard, so that who keeps a session open asks revoked_among() of it
    /// again and again.
    [[nodiscard]] bool others_revoke() const noexcept;
    /// Which of them were revoked, wherever that may have been without this guard, by what is known there now. What
    /// cannot be known is none of them. `done` comes as check()'s does.
    void revoked_among(std::vector<HeldToken> tokens, UniqueFunction<void(std::vector<TokenHash>)> done);
    /// About once a second: lets go of answers that no longer hold.
    void forget_old();

    /// Into directory and cache. The cache failing is no failure: the directory holds it.
    void revoke(const std::string& sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done);
    /// Every token of the member issued before `before`, and those that do not say when.
    void revoke_member(const MemberId& member, WallTime before, UniqueFunction<void(Result<>)> done);

    /// `listener` hears of every revocation made here, on any thread, after it is durable and before its `done`. It
    /// must outlive the pool. Call before the first check.
    void on_revoked(std::function<void(const Revocation&)> listener);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace parley::auth
