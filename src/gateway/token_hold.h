#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "auth/token_hash.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/function.h"
#include "base/ids.h"

namespace parley::auth {
struct HeldToken;
}

namespace parley::gateway {

class Core;
struct Identity;

/// What a request that stays open keeps of its token, so that it ends when the token does.
/// Thread: core-local.
class TokenHold {
public:
    TokenHold(const Identity& identity, SteadyTime now);

    [[nodiscard]] const MemberId& member() const noexcept { return member_; }
    [[nodiscard]] bool is_token(std::string_view sha256_hex) const noexcept;
    [[nodiscard]] bool is_revoked(const MemberId& member, WallTime before) const noexcept;
    [[nodiscard]] bool has_expired(WallTime wall) const noexcept { return expires_ <= wall; }
    void add_to(std::vector<auth::HeldToken>& tokens) const;
    [[nodiscard]] WallTime expires() const noexcept { return expires_; }
    /// Once, a little after the beginning: a revocation that came while the token was being checked shows in a second
    /// look. `ended(code)` comes if the token does not hold, and never after this has gone.
    void look_again(Core& core, SteadyTime now, UniqueFunction<void(Code)> ended);

private:
    MemberId member_;
    auth::TokenHash token_;
    WallTime expires_;
    WallTime issued_at_;
    SteadyTime look_at_;
    std::shared_ptr<bool> looking_;  ///< while an answer is awaited
};

}  // namespace parley::gateway
