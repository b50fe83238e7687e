#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace parley::room {

/// Who is in which room: who sent JOIN and has not left, on this server or, as far as is known, on another one.
///
/// Thread: any; a mutex guards it. JOIN, LEAVE and lost connections only: TALK never comes here.
/// Order:  of two JOINs of one member exactly one makes them present.
/// Limit:  a lost connection keeps its member present for `grace`, so that a reconnect is no event.
/// Others: what happens here is told to on_here(), in order; what PresenceSync hears goes in by join_at(), leave_at().
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
        std::string nickname;
    };

    using ServerId = std::uint64_t;
    /// Somebody's first stay on this server began, or their last one ended.
    struct Change {
        RoomId room;
        MemberId member;
        std::string nickname;
        bool present;
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

    /// `tell` is called with the lock held, before the change is seen by anybody. Call before the first JOIN.
    void on_here(std::function<void(const Change&)> tell) { tell_ = std::move(tell); }
    /// Everybody who is present on this server, to `look`, with the lock held: no change comes between.
    void here(const std::function<void(std::vector<Change>)>& look) const;
    /// The member is (no longer) present at another server. True when that makes them present (absent).
    bool join_at(ServerId server, const RoomId& room, const MemberId& member, const std::string& nickname);
    bool leave_at(ServerId server, const RoomId& room, const MemberId& member);

    [[nodiscard]] std::vector<Present> present(const RoomId& room) const;
    [[nodiscard]] bool is_present(const RoomId& room, const MemberId& member) const;

private:
    struct Member {
        std::string nickname;
        std::map<SessionId, SteadyTime> stays;  ///< on this server: when each ends; max() while connected
        std::vector<ServerId> elsewhere;
        [[nodiscard]] bool is_absent() const { return stays.empty() && elsewhere.empty(); }
    };
    using Members = std::unordered_map<MemberId, Member>;
    using Rooms = std::unordered_map<RoomId, Members>;

    /// Null when neither is known.
    [[nodiscard]] Member* find(const RoomId& room, const MemberId& member);
    void tell(const RoomId& room, const MemberId& member, const std::string& nickname, bool present) const;
    /// Forgets an absent member. True: it was one.
    bool forget_absent(const RoomId& room, const MemberId& member);

    const milliseconds grace_;
    mutable std::mutex mutex_;
    Rooms rooms_;
    std::function<void(const Change&)> tell_;
    std::multimap<SteadyTime, std::pair<RoomId, MemberId>> ending_;
};

}  // namespace parley::room
