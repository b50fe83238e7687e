#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/message.h"

namespace parley::bus {

/// Something about a room that is shown live and never stored: typing, presence, read marks. `json` is the whole body.
struct RoomEvent {
    RoomId room;
    std::string json;
};

/// Word between the cores and the servers that is not for a room's subscribers. Values go over the wire: append only.
struct Notice {
    enum class Kind : std::uint8_t {
        kRoomChanged = 1,  ///< subject: roomId; what is remembered of its access is stale. body: the RoomChange, where
                           ///< a right may have begun or ended
        kTokenRevoked,     ///< subject: sha256 hex of the token
        kMemberRevoked,    ///< subject: memberId; tokens issued before `at` are revoked
        kNotification,     ///< subject: memberId; body: what `/user/queue/notifications` shows
        kMemberOnline,     ///< subject: memberId, who has just come online; body: what others are told of it
        kPresence,         ///< body: a word of room::PresenceSync
    };
    Kind kind;
    std::string subject;
    std::string body;
    WallTime at;
};

using MessageBatch = std::shared_ptr<const std::vector<MessageRef>>;

/// Carries live hints to every core that may have readers. A hint may be lost, late or repeated: readers know the seq
/// they have and fill up from the log.
///
/// Thread: announce(), event() and notify() from any; a Listener hears on its own loop.
/// Order:  what one thread announces of one room arrives in that order.
class Bus {
public:
    class Listener {
    public:
        virtual ~Listener() = default;
        /// Durable messages of any rooms, each room's in seq order.
        virtual void on_messages(const MessageBatch& batch) = 0;
        virtual void on_room_event(const RoomEvent& event) = 0;
        virtual void on_notice(const Notice& notice) = 0;
        /// Hints of other servers may have been lost: what is believed without asking has to be asked for again.
        virtual void on_missed() = 0;
    };

    virtual ~Bus() = default;
    virtual void announce(std::span<const MessageRef> messages) = 0;
    virtual void event(RoomEvent event) = 0;
    /// For the readers of this server alone: the others find out by themselves.
    virtual void event_here(RoomEvent event) = 0;
    virtual void notify(Notice notice) = 0;
};

}  // namespace parley::bus
