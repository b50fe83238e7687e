#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/units.h"
#include "log/room_log.h"
#include "room/wire_form.h"
#include "rt/chunk.h"
#include "rt/connection.h"

namespace parley::room {

class LocalRoom;
struct Group;

/// Where a subscriber's stream begins.
struct Start {
    enum class From : std::uint8_t { kLive, kAfter, kSince, kLast };
    From from = From::kLive;
    RoomSeq after{};               ///< kAfter: 0 is everything
    WallTime since{};              ///< kSince
    std::size_t last = 0;          ///< kLast
    std::optional<Epoch> epoch{};  ///< of the position, where the client said it
};

/// The way out of one subscription, implemented by a session.
///
/// Thread: core-local; called from inside publish(): it may stop() any subscription and bury it, not destroy it.
class Sink {
public:
    virtual ~Sink() = default;
    /// Who reads: the same as long as it lives.
    [[nodiscard]] virtual const MemberId& member() const = 0;
    /// How many messages it can take now. Short of what there is, the subscription waits for on_drained() and goes on
    /// from where it is.
    [[nodiscard]] virtual std::size_t can_take() const = 0;
    /// False earlier than can_take(): events are the first to go.
    [[nodiscard]] virtual bool can_take_event() const = 0;
    virtual void take(const rt::Slice& frames) = 0;
    /// Where live frames may go without asking the sink: its take() and can_take() would do no more than this
    /// connection's send() and can_take(). Asked when the subscription goes live; null: ask the sink each time.
    [[nodiscard]] virtual rt::Connection* direct() { return nullptr; }
    /// Once, when history is through and what is sent from now on arrives live.
    virtual void on_live(std::string_view key, const log::RoomHead& at) = 0;
    /// It could not take what came live after `written` and will be filled up from there as it drains.
    virtual void on_set_back(const RoomId& room, RoomSeq written) = 0;
    /// The wanted position is no longer kept; delivery goes on from `first`.
    virtual void on_truncated(const RoomId& room, RoomSeq first) = 0;
    /// The position is of another epoch or above the head: nothing is delivered; the subscription has ended.
    virtual void on_position_invalid(std::string_view key, const RoomId& room, const log::RoomHead& at) = 0;
    /// The right to read ended; nothing more comes.
    virtual void on_ended(std::string_view key, const RoomId& room) = 0;
};

/// One subscriber of one room on this core: a cursor that only rises, first through history, then live.
///
/// Thread: core-local. Owned by the session; borrows its Sink and the room.
/// Order:  every seq above the starting point exactly once, rising, until it ends.
/// Fails:  storage trouble only delays: reading is tried again until it works.
/// Size:   each reader of each room pays for it.
class Subscription {
public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// Nothing reaches the sink after this returns. Legal inside a sink's callback.
    void stop() noexcept;
    /// The sink can take again.
    void on_drained();
    /// Everything up to here has been handed over.
    [[nodiscard]] RoomSeq cursor() const noexcept;
    /// Inside Sink::take() only: it is given what is above this, up to cursor().
    [[nodiscard]] RoomSeq taken_after() const noexcept;
    [[nodiscard]] const RoomId& room() const noexcept;
    [[nodiscard]] bool is_live() const noexcept { return state_ == State::kLive; }

private:
    friend class LocalRoom;
    friend class Hub;
    enum class State : std::uint8_t { kStarting, kReading, kWaiting, kRetry, kLive, kEnded };

    Subscription(LocalRoom& room, Sink& sink) noexcept : room_(&room), sink_(sink) {}

    LocalRoom* room_;
    Sink& sink_;
    Group* group_ = nullptr;
    RoomSeq cursor_;  ///< while it is not live; then Live::through is
    RoomSeq replay_until_;
    std::uint32_t slot_ = 0;    ///< in LocalRoom::slots_
    std::uint32_t serial_ = 0;  ///< tells it from a later one in the same slot
    std::uint32_t index_ = 0;   ///< in the group's live list
    std::uint16_t checks_ = 0;  ///< how often its right to read is being asked for: nothing is handed over meanwhile
    State state_ = State::kStarting;
    bool reading_ : 1 = false;  ///< a page of the log is on its way
    bool told_live_ : 1 = false;
    bool events_ : 1 = false;  ///< of the room's events, not of its messages
};

}  // namespace parley::room
