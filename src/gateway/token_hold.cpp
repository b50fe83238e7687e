#include "gateway/token_hold.h"

#include "gateway/core.h"
#include "gateway/stomp_session.h"

namespace parley::gateway {
namespace {
constexpr seconds kSecondLook{2};
}

TokenHold::TokenHold(const Identity& identity, SteadyTime now)
    : member_(identity.claims.member),
      token_(auth::TokenHash::from_hex(identity.token_sha256)),
      expires_(identity.claims.expires),
      issued_at_(identity.claims.issued_at.value_or(WallTime{})),
      look_at_(now + kSecondLook) {}

bool TokenHold::is_token(std::string_view sha256_hex) const noexcept {
    return !token_.empty() && token_ == auth::TokenHash::from_hex(sha256_hex);
}

bool TokenHold::is_revoked(const MemberId& member, WallTime before) const noexcept {
    return member_ == member && issued_at_ < before;
}

void TokenHold::add_to(std::vector<auth::HeldToken>& tokens) const {
    if (!token_.empty()) tokens.push_back({token_, member_, issued_at_});
}

void TokenHold::look_again(Core& core, SteadyTime now, UniqueFunction<void(Code)> ended) {
    if (now < look_at_) return;
    look_at_ = SteadyTime::max();
    looking_ = std::make_shared<bool>(true);
    auth::Claims claims;
    claims.member = member_;
    claims.expires = expires_;
    if (issued_at_ != WallTime{}) claims.issued_at = issued_at_;
    core.services().guard.recheck(
        {std::move(claims), token_.hex()}, [this, &loop = core.loop(), looking = std::weak_ptr<bool>{looking_},
                                            ended = std::move(ended)](Result<auth::VerifiedToken> checked) mutable {
            loop.post([this, &loop, looking, ended = std::move(ended), checked = std::move(checked)]() mutable {
                if (looking.expired()) return;
                looking_.reset();
                if (checked) return;
                // Not knowing is no reason to end: it is asked again.
                if (checked.error().code == Code::kAuthUnavailable) {
                    look_at_ = loop.now() + kSecondLook;
                } else {
                    ended(checked.error().code);
                }
            });
        });
}

}  // namespace parley::gateway
