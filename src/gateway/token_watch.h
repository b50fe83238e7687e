#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "auth/token_guard.h"

namespace parley::gateway {

class Core;
class Session;

/// Finds the open sessions whose tokens were revoked without this server's hearing of it: by a login service, by a
/// server with which it has no bus, or while the bus was away.
///
/// Thread: core-local; the asking is done elsewhere. Borrows the core.
/// Order:  every other second a round, in which each session's token is asked after once, with those of its part. With
///         what an answer takes a session ends within 5 s.
/// Limit:  a round begins when the one before has been answered. Where nobody else can revoke there is none.
/// Fails:  what cannot be known ends nobody: the next round asks again.
class TokenWatch {
public:
    explicit TokenWatch(Core& core) noexcept : core_(core) {}

    /// About once a second, before the sessions have theirs.
    void on_second();
    /// In a round: notes its token.
    void look_at(const Session& session) {
        if (in_round_) note(session);
    }
    /// After each part: asks after what was noted.
    void ask();

private:
    void note(const Session& session);
    void answered(const std::vector<auth::TokenHash>& revoked);

    Core& core_;
    bool in_round_ = false;
    std::size_t under_way_ = 0;  ///< questions
    std::vector<auth::HeldToken> noted_;
    std::shared_ptr<TokenWatch*> self_ = std::make_shared<TokenWatch*>(this);
};

}  // namespace parley::gateway
