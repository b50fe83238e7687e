#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace parley::gateway {

/// Who is online: has a session of any transport open on this server, or had one until a moment ago.
///
/// Thread: any; a mutex guards it. Sessions that begin and end come here, messages never.
/// Order:  of two sessions of one member that begin at once exactly one brings them online.
/// Memory: about 40 bytes for a member, whatever their id.
class Online {
public:
    /// Who comes back within `grace` was never away.
    explicit Online(milliseconds grace = seconds{15}) : grace_(grace) {}

    /// True when the member was not online before.
    bool arrive(const MemberId& member);
    /// Once for each arrive().
    void leave(const MemberId& member, SteadyTime now);
    void sweep(SteadyTime now);
    [[nodiscard]] std::size_t members() const;
    /// Who is online, as key() names them: one of `parts` parts of them, which make all of them one after the other.
    [[nodiscard]] std::vector<std::uint64_t> part(std::size_t number, std::size_t parts) const;
    /// The same at every server.
    [[nodiscard]] static std::uint64_t key(const MemberId& member) { return std::hash<MemberId>{}(member); }

private:
    struct State {
        std::uint32_t sessions = 0;
        std::uint32_t leaves = 0;  ///< tells the last leave() from earlier ones
    };
    struct Leaving {
        SteadyTime at;
        std::uint64_t member;
        std::uint32_t leave;
    };
    const milliseconds grace_;
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, State> members_;  ///< by hash of the id
    std::deque<Leaving> leaving_;
};

}  // namespace parley::gateway
