#pragma once
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/ids.h"

namespace parley::bus {

/// Takes frames from one server of a fleet to all the others: Redis Pub/Sub, and what else can.
///
/// Thread: one of its own: send(), mirror() and the receiver's calls are on it; post() and trouble() from any.
/// Order:  what one server sends arrives in that order, with gaps where the link was down.
/// Fails:  a frame is lost while the link is down; nothing waits for it. A server may hear its own frames.
class Carrier {
public:
    class Receiver {
    public:
        virtual ~Receiver() = default;
        virtual void on_frame(std::string_view frame) = 0;
        /// What lies on a room's mirror channel, whoever put it there: a server of the fleet, or another service.
        virtual void on_mirror(const RoomId& room, std::string_view text) = 0;
        /// The link stands (again): what was sent before may have been missed.
        virtual void on_link() = 0;
    };

    virtual ~Carrier() = default;
    /// Once. `receiver` must outlive the carrier; it hears mirror channels only `with_mirrors`.
    virtual void start(Receiver& receiver, bool with_mirrors) = 0;
    /// Runs `task` on the carrier's thread, in order; not at all once the carrier ends.
    virtual void post(Task task) = 0;
    virtual void send(std::string frame) = 0;
    /// Shows a stored message to other services, on the channel of its room.
    virtual void mirror(const RoomId& room, std::string json) = 0;
    /// What is wrong with the link, for an operator; empty while it stands.
    [[nodiscard]] virtual std::string trouble() const = 0;
};

}  // namespace parley::bus
