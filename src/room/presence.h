#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace parley::room {

/// Who is in which room: who sent JOIN and has not left.
///
/// Thread: any; a mutex guards it. JOIN, LEAVE and lost connections only: TALK never comes here.
/// Order:  of two JOINs of one member exactly one makes them present.
/// Limit:  a lost connection keeps its member present for `grace`, so that a reconnect is no event.
class Presence {
public:
    using SessionId = std::uint64_t;
    struct Present {
        MemberId member;
        std::string nickname;
    };
    struct Absent {
        RoomId room;
        MemberId member;
    };

    explicit Presence(milliseconds grace) : grace_(grace) {}

    /// True when the member was not present before.
    bool join(const RoomId& room, const MemberId& member, const std::string& nickname, SessionId session);
    /// True when this was the member's last stay in the room.
    bool leave(const RoomId& room, const MemberId& member, SessionId session);
    /// The session's connection is gone: its stays end at now + grace, unless the member joins again.
    void disconnect(const RoomId& room, const MemberId& member, SessionId session, SteadyTime now);
    /// Ends what has run out. Returns who became absent.
    std::vector<Absent> sweep(SteadyTime now);

    [[nodiscard]] std::vector<Present> present(const RoomId& room) const;
    [[nodiscard]] bool is_present(const RoomId& room, const MemberId& member) const;

private:
    struct Member {
        std::string nickname;
        std::map<SessionId, SteadyTime> stays;  ///< when it ends; max() while connected
    };

    const milliseconds grace_;
    mutable std::mutex mutex_;
    std::unordered_map<RoomId, std::unordered_map<MemberId, Member>> rooms_;
    std::multimap<SteadyTime, std::pair<RoomId, MemberId>> ending_;
};

}  // namespace parley::room
