#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace parley::auth {
struct HeldToken;
}

namespace parley::gateway {

/// A conversation that stays open: what the server has to reach of it from outside, whatever its transport.
///
/// Thread: core-local. Owned by its transport; its Core has it in its list between Core::add() and Core::remove().
/// Order:  each call may end it, and with that remove it from the list.
class Session {
public:
    virtual ~Session() = default;
    /// About once a second: ends what has run out.
    virtual void on_second(WallTime wall, SteadyTime now) = 0;
    /// Ends with 4401 when this session's token is meant.
    virtual void on_token_revoked(std::string_view sha256_hex) = 0;
    virtual void on_member_revoked(const MemberId& member, WallTime before) = 0;
    /// Adds the token it lives by, if there is one: others may have revoked it.
    virtual void add_token(std::vector<auth::HeldToken>&) const {}
    /// The server goes: the client shall come back after that long. Who has something to finish stays until it is, and
    /// may be told again.
    virtual void drain(milliseconds reconnect_after) = 0;

private:
    friend class Core;
    static constexpr std::uint32_t kNotListed = UINT32_MAX;
    std::uint32_t place_ = kNotListed;  ///< in the core's list
};

}  // namespace parley::gateway
