#include "gateway/token_watch.h"

#include <utility>

#include "gateway/core.h"
#include "gateway/session.h"

namespace parley::gateway {

void TokenWatch::on_second() { in_round_ = !in_round_ && under_way_ == 0 && core_.services().guard.others_revoke(); }

void TokenWatch::note(const Session& session) { session.add_token(noted_); }

void TokenWatch::ask() {
    if (noted_.empty()) return;
    ++under_way_;
    core_.services().guard.revoked_among(
        std::exchange(noted_, {}), [&loop = core_.loop(), self = std::weak_ptr<TokenWatch*>{self_}](auto revoked) {
            loop.post([self, revoked = std::move(revoked)] {
                if (const auto watch = self.lock()) (*watch)->answered(revoked);
            });
        });
}

void TokenWatch::answered(const std::vector<auth::TokenHash>& revoked) {
    --under_way_;
    for (const auth::TokenHash& token : revoked) core_.end_token(token.hex());
}

}  // namespace parley::gateway
