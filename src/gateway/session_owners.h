#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/function.h"
#include "base/result.h"
#include "gateway/fleet_place.h"
#include "rt/loop.h"

namespace parley::gateway {

/// Which server of the fleet a SockJS session belongs to, as the session cache has it.
///
/// Thread: core-local; answers come on this loop, and none after it is destroyed.
/// Order:  of servers that claim a session at once one has it, and all hear which.
/// Limit:  what a server claimed holds for kHolds, and is renewed while the session lives.
/// Fails:  kAuthUnavailable while the cache does not answer. What is here is served all the same.
class SessionOwners {
public:
    static constexpr seconds kHolds{60};
    /// None: it is this server's, or nobody's.
    using Then = UniqueFunction<void(Result<std::optional<Owner>>)>;

    /// `place`: null for a server that is alone. What is asked then is answered at once: it is all here.
    SessionOwners(rt::Loop& loop, const FleetPlace* place);
    ~SessionOwners();
    SessionOwners(const SessionOwners&) = delete;
    SessionOwners& operator=(const SessionOwners&) = delete;

    [[nodiscard]] bool is_alone() const noexcept { return place_ == nullptr; }
    void find(const std::string& session, Then then);
    /// None: it is this server's until release().
    void claim(const std::string& session, Then then);
    void release(const std::string& session);
    /// The other server does not answer: whoever claims the session next has it.
    void let_go(const std::string& session, const Owner& owner);
    /// About once a second: claims again what is held.
    void on_second();

private:
    static constexpr seconds kRenew = kHolds / 3;
    [[nodiscard]] WallTime expiry() const { return loop_.clock().wall() + kHolds; }
    [[nodiscard]] Result<std::optional<Owner>> other_in(Result<std::optional<std::string>> value) const;
    template <class Answer, class Use>
    auto here(Use use);

    rt::Loop& loop_;
    const FleetPlace* const place_;
    const std::string mine_;                            ///< what the cache has for sessions of this server
    std::unordered_map<std::string, SteadyTime> held_;  ///< key in the cache → when it is claimed again
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The value of an owner in the cache: `1 <number> <host:port>`. Nothing: another version's, or somebody else's.
[[nodiscard]] std::string owner_text(const Owner& owner);
[[nodiscard]] std::optional<Owner> parse_owner(std::string_view text);

}  // namespace parley::gateway
