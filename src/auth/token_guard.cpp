#include "auth/token_guard.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "auth/tickets.h"

namespace parley::auth {

bool Revocation::applies_to(const VerifiedToken& token) const {
    if (!sha256_hex.empty()) return token.sha256_hex == sha256_hex;
    return token.claims.member == member && (!token.claims.issued_at || *token.claims.issued_at < before);
}

/// Shared with every callback under way, so that none of them outlives what it uses.
struct TokenGuard::State : std::enable_shared_from_this<TokenGuard::State> {
    State(const TokenKeys& keys_in, cache::SessionCache& cache_in, store::Directory& directory_in,
          rt::WorkPool& pool_in, const Clock& clock_in, const Options& options_in)
        : keys(keys_in),
          cache(cache_in),
          directory(directory_in),
          clock(clock_in),
          options(options_in),
          tickets(cache_in, clock_in),
          pool(&pool_in) {}

    const TokenKeys& keys;
    cache::SessionCache& cache;
    store::Directory& directory;
    const Clock& clock;
    const Options options;
    Tickets tickets;
    std::vector<std::function<void(const Revocation&)>> listeners;

    std::shared_mutex pool_mutex;
    rt::WorkPool* pool;  ///< null once the guard has gone

    std::mutex memory_mutex;
    using Memory = std::unordered_map<std::string, SteadyTime>;  ///< until when
    Memory remembered;
    Memory older;  ///< what forget_old() lets go next
    SteadyTime forget_at{};
    std::uint64_t generation = 0;  ///< counts revocations; under memory_mutex

    void verify(const std::string& token, Done done);
    void judge(VerifiedToken token, Done done);
    void ask_directory(VerifiedToken token, Done done);
    Result<> read_directory(const VerifiedToken& token);
    using Hashes = std::vector<std::string>;
    using Found = UniqueFunction<void(std::vector<TokenHash>)>;
    void look_at(const std::vector<HeldToken>& tokens, Found done);
    void look_in_cache(Hashes hashes, std::vector<TokenHash> found, Found done);
    [[nodiscard]] bool submit(Task task);
    bool remembers(const std::string& sha256_hex, std::uint64_t& seen_generation);
    void remember(const std::string& sha256_hex, std::uint64_t seen_generation);
    void forget_all();
    void forget_old();
    void announce(const Revocation& revocation);
};

void TokenGuard::State::verify(const std::string& token, Done done) {
    auto verified = keys.verify(token, clock.wall());
    if (!verified) return done(fail(verified.error()));
    judge(std::move(*verified), std::move(done));
}

void TokenGuard::State::judge(VerifiedToken token, Done done) {
    if (token.claims.expires <= clock.wall()) return done(fail(Code::kAuthExpired, "the token has expired"));
    const std::string hash = token.sha256_hex;
    cache.is_revoked(hash, [self = shared_from_this(), token = std::move(token),
                            done = std::move(done)](Result<bool> revoked) mutable {
        if (!revoked && !self->options.allow_when_cache_down) return done(fail(revoked.error()));
        if (revoked && *revoked) return done(fail(Code::kAuthExpired, "the token has been revoked"));
        self->ask_directory(std::move(token), std::move(done));
    });
}

void TokenGuard::State::ask_directory(VerifiedToken token, Done done) {
    std::uint64_t seen_generation = 0;
    if (remembers(token.sha256_hex, seen_generation)) return done(std::move(token));
    // Outside of the task, which a full pool drops.
    auto shared_done = std::make_shared<Done>(std::move(done));
    const bool accepted =
        submit([self = shared_from_this(), token = std::move(token), shared_done, seen_generation]() mutable {
            if (auto good = self->read_directory(token); !good) return (*shared_done)(fail(good.error()));
            self->remember(token.sha256_hex, seen_generation);
            (*shared_done)(std::move(token));
        });
    if (!accepted) (*shared_done)(fail(Code::kAuthUnavailable, "too many tokens wait to be checked"));
}

Result<> TokenGuard::State::read_directory(const VerifiedToken& token) {
    const Claims& claims = token.claims;
    const auto unavailable = [](const Error& error) { return fail(Code::kAuthUnavailable, error.message); };
    const auto revoked = directory.is_token_revoked(token.sha256_hex);
    if (!revoked) return unavailable(revoked.error());
    if (*revoked) return fail(Code::kAuthExpired, "the token has been revoked");
    const auto before = directory.revoked_before(claims.member);
    if (!before) return unavailable(before.error());
    if (before->has_value() && Revocation{"", claims.member, **before}.applies_to(token)) {
        return fail(Code::kAuthExpired, "the member's tokens of that time have been revoked");
    }
    if (!options.require_registered) return {};
    const auto account = directory.account(claims.member);
    if (!account) return unavailable(account.error());
    if (!account->has_value()) return fail(Code::kAuthInvalid, "the token's member is not registered");
    return {};
}

void TokenGuard::State::look_at(const std::vector<HeldToken>& tokens, Found done) {
    std::vector<store::HeldToken> held;
    Hashes hashes;
    for (const HeldToken& token : tokens) {
        hashes.push_back(token.token.hex());
        held.push_back({hashes.back(), token.member, token.issued_at});
    }
    std::vector<TokenHash> found;
    if (options.directory_is_shared) {
        const auto revoked = directory.revoked_among(held);
        for (const std::string& hash : revoked ? *revoked : Hashes{}) found.push_back(TokenHash::from_hex(hash));
    }
    if (options.cache_is_shared) {
        look_in_cache(std::move(hashes), std::move(found), std::move(done));
    } else {
        done(std::move(found));
    }
}

/// By halves down to those it has: hardly ever is one of many revoked, so that one question is enough.
void TokenGuard::State::look_in_cache(Hashes hashes, std::vector<TokenHash> found, Found done) {
    cache.is_any_revoked(hashes, [self = shared_from_this(), hashes, found = std::move(found),
                                  done = std::move(done)](const Result<bool>& revoked) mutable {
        if (!revoked.value_or(false)) return done(std::move(found));
        if (hashes.size() == 1) {
            found.push_back(TokenHash::from_hex(hashes.front()));
            return done(std::move(found));
        }
        const auto middle = hashes.begin() + static_cast<std::ptrdiff_t>(hashes.size() / 2);
        Hashes rest{middle, hashes.end()};
        hashes.erase(middle, hashes.end());
        self->look_in_cache(std::move(hashes), std::move(found),
                            [self, rest = std::move(rest), done = std::move(done)](auto more) mutable {
                                self->look_in_cache(std::move(rest), std::move(more), std::move(done));
                            });
    });
}

bool TokenGuard::State::submit(Task task) {
    const std::shared_lock lock{pool_mutex};
    return pool != nullptr && pool->try_submit(std::move(task));
}

bool TokenGuard::State::remembers(const std::string& sha256_hex, std::uint64_t& seen_generation) {
    const std::lock_guard lock{memory_mutex};
    seen_generation = generation;
    const auto holds = [&](const Memory& memory) {
        const auto found = memory.find(sha256_hex);
        return found != memory.end() && clock.steady() < found->second;
    };
    return holds(remembered) || holds(older);
}

/// Only when nothing was revoked since before the directory was read: the answer may be older than the revocation.
void TokenGuard::State::remember(const std::string& sha256_hex, std::uint64_t seen_generation) {
    const std::lock_guard lock{memory_mutex};
    if (generation != seen_generation) return;
    if (remembered.size() >= options.max_remembered) remembered.clear();
    remembered[sha256_hex] = clock.steady() + options.remember;
}

void TokenGuard::State::forget_all() {
    const std::lock_guard lock{memory_mutex};
    ++generation;
    remembered.clear();
    older.clear();
}

/// In two halves, so that no call looks at each answer.
void TokenGuard::State::forget_old() {
    Memory gone;  // outside of the lock
    const std::lock_guard lock{memory_mutex};
    if (clock.steady() < forget_at) return;
    forget_at = clock.steady() + options.remember;
    gone.swap(older);
    older.swap(remembered);
}

void TokenGuard::State::announce(const Revocation& revocation) {
    for (const auto& listener : listeners) listener(revocation);
}

TokenGuard::TokenGuard(const TokenKeys& keys, cache::SessionCache& cache, store::Directory& directory,
                       rt::WorkPool& pool, const Clock& clock, const Options& options)
    : state_(std::make_shared<State>(keys, cache, directory, pool, clock, options)) {}

TokenGuard::~TokenGuard() {
    const std::unique_lock lock{state_->pool_mutex};
    state_->pool = nullptr;
}

void TokenGuard::check(const std::string& text, Done done) {
    if (!Tickets::is_ticket(text)) return state_->verify(text, std::move(done));
    state_->tickets.redeem(text, [self = state_, done = std::move(done)](Result<std::string> token) mutable {
        if (!token) return done(fail(token.error()));
        self->verify(*token, std::move(done));
    });
}

void TokenGuard::recheck(VerifiedToken token, Done done) { state_->judge(std::move(token), std::move(done)); }

bool TokenGuard::others_revoke() const noexcept {
    return state_->options.cache_is_shared || state_->options.directory_is_shared;
}

void TokenGuard::revoked_among(std::vector<HeldToken> tokens, UniqueFunction<void(std::vector<TokenHash>)> done) {
    auto shared_done = std::make_shared<State::Found>(std::move(done));
    const bool accepted = state_->submit(
        [self = state_, tokens = std::move(tokens), shared_done] { self->look_at(tokens, std::move(*shared_done)); });
    if (!accepted) (*shared_done)({});
}

void TokenGuard::forget_old() { state_->forget_old(); }

void TokenGuard::revoke(const std::string& sha256_hex, WallTime expires, UniqueFunction<void(Result<>)> done) {
    auto shared_done = std::make_shared<UniqueFunction<void(Result<>)>>(std::move(done));
    const bool accepted = state_->submit([self = state_, sha256_hex, expires, shared_done] {
        const Result<> stored = self->directory.revoke_token(sha256_hex, expires);
        self->forget_all();
        self->cache.revoke(sha256_hex, expires, [self, sha256_hex, stored, shared_done](const Result<>& cached) {
            if (stored || cached) self->announce({sha256_hex, {}, {}});
            (*shared_done)(stored ? Result<>{} : Result<>{fail(Code::kAuthUnavailable, stored.error().message)});
        });
    });
    if (!accepted) (*shared_done)(fail(Code::kAuthUnavailable, "too many tokens wait to be checked"));
}

void TokenGuard::revoke_member(const MemberId& member, WallTime before, UniqueFunction<void(Result<>)> done) {
    auto shared_done = std::make_shared<UniqueFunction<void(Result<>)>>(std::move(done));
    const bool accepted = state_->submit([self = state_, member, before, shared_done] {
        const Result<> stored = self->directory.set_revoked_before(member, before);
        if (!stored) return (*shared_done)(fail(Code::kAuthUnavailable, stored.error().message));
        self->forget_all();
        self->announce({"", member, before});
        (*shared_done)({});
    });
    if (!accepted) (*shared_done)(fail(Code::kAuthUnavailable, "too many tokens wait to be checked"));
}

void TokenGuard::on_revoked(std::function<void(const Revocation&)> listener) {
    state_->listeners.push_back(std::move(listener));
}

}  // namespace parley::auth
