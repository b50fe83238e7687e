#pragma once
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/function.h"
#include "room/local_room.h"
#include "room/subscription.h"
#include "rt/asker.h"

namespace parley::room {

/// All rooms that have subscribers on this core.
///
/// Thread: core-local. Owns the LocalRooms. Borrows loop, log and asker.
/// Order:  see Subscription; the bus's messages go to every room they name and nowhere else.
class Hub {
public:
    using MayRead = room::MayRead;
    struct Options {
        milliseconds gap_wait{20};
        milliseconds retry_wait{500};
        std::size_t page_messages = 256;
        Bytes page_bytes{256 * 1024};
        std::size_t recent_messages = 256;
        Bytes recent_bytes{256 * 1024};
        /// A delivery is one write of the kernel's, 3 to 4 µs of the loop: so many rest their room for a millisecond.
        std::size_t readers_for_rest = 500;
    };

    /// `may_read` is asked when a room turned private.
    Hub(rt::Loop& loop, log::RoomLog& log, rt::Asker& asker, MayRead may_read, Options options);
    ~Hub();

    /// `key` is the client's subscription id. The sink must outlive the subscription. Whether the member may read is
    /// the caller's to judge before.
    std::unique_ptr<Subscription> subscribe(const RoomId& room, Sink& sink, WireForm& form, std::string key,
                                            const Start& start);
    std::unique_ptr<Subscription> subscribe_events(const RoomId& room, Sink& sink, WireForm& form, std::string key);

    void on_messages(std::span<const MessageRef> messages);
    void on_room_event(const RoomId& room, std::string_view json);
    /// The log says that the room stands there: subscribers that have less are filled up.
    void on_head(const RoomId& room, RoomSeq head);
    /// Appends the rooms that have subscribers here.
    void list_rooms(std::vector<RoomId>& out) const;
    /// Ends the subscriptions of `room` that `change` concerns and `may_read` denies: for those that were judged before
    /// the change was applied and came after its record.
    void recheck(const RoomId& room, const RoomChange& change, const MayRead& may_read);
    /// What a connection may have waiting; near that much of a room is handed over at once and kept as recent.
    void set_memory(Bytes share);
    /// `look` is called after each few MiB of frames: it may call set_memory(), and change what sinks can take.
    void on_growth(UniqueFunction<void()> look) { on_growth_ = std::move(look); }
    /// `look` is called when a room has rested and handed over what waited, with when the last of it was stored.
    void on_rested(UniqueFunction<void(WallTime)> look) { on_rested_ = std::move(look); }
    [[nodiscard]] std::size_t rooms() const noexcept { return rooms_.size(); }
    /// Messages handed to subscribers since this was last asked.
    [[nodiscard]] std::uint64_t take_delivered() noexcept { return std::exchange(delivered_, 0); }

private:
    friend class LocalRoom;
    friend class Subscription;
    LocalRoom& room(const RoomId& id);
    void drop_if_idle(const RoomId& id);

    rt::Loop& loop_;
    log::RoomLog& log_;
    rt::Asker& asker_;
    MayRead may_read_;
    const Options options_;
    void grown(std::size_t bytes);

    Bytes page_bytes_ = options_.page_bytes;
    RecentBudget recent_{options_.recent_messages, options_.recent_bytes};
    std::size_t grown_ = 0;
    UniqueFunction<void()> on_growth_;
    UniqueFunction<void(WallTime)> on_rested_;
    std::unordered_map<RoomId, std::unique_ptr<LocalRoom>> rooms_;
    std::uint64_t delivered_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::room
