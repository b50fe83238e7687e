#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/metrics.h"
#include "log/listed_room.h"
#include "log/room_log.h"
#include "store/ledger.h"
#include "worker/dead_letters.h"
#include "worker/lease.h"
#include "worker/role.h"

namespace parley::worker {

/// Of a message that waits for a role.
[[nodiscard]] inline std::size_t size_of(const Message& message) {
    return sizeof(Message) + message.content.size() + message.extra.size();
}

/// Brings a role every message of every room of clients, each room's in seq order, from where the ledger says.
///
/// Thread: one, which waits for the stores; hold_back() any. Borrows everything.
/// Order:  the effect, then the position, saved every save_every. A crash in between repeats the effects since.
///         Where another server has saved meanwhile, the room is read again from its position.
/// Hints:  messages that the bus told of are taken as they are where they are the next ones; what no hint told of is
///         found by listing the rooms that got messages since.
/// Limit:  8 MiB of hints; beyond, the log is read.
/// Fails:  a store that is away is waited for. A message at fault is tried `tries` times, `between_tries` apart, while
///         other rooms go on, then it is a dead letter. What is no longer kept is passed over, and said in the log.
class Reader {
public:
    struct Parts {
        log::RoomLog& log;
        log::ListRooms list_rooms;  ///< empty: whoever calls follow() finds all
        store::Ledger& ledger;
        const Clock& clock;
        metrics::Registry& metrics;
    };
    struct Options {
        std::string server;  ///< of several that share the ledger: this one's name; empty: there is no other
        milliseconds save_every{2'000};
        std::function<milliseconds()> list_every = [] { return milliseconds{30'000}; };
        milliseconds between_tries{1'000};
        int tries = 3;
        milliseconds stuck_after{5'000};
        /// Told of a dead letter when it is written down; told again where that fails.
        std::function<Result<>(const Message& message, const std::string& reason)> on_dead_letter;
    };

    /// Before a room's id in the key of its row in the ledger.
    [[nodiscard]] static std::string rooms_of(const std::string& role);
    /// Of such a row: what RoomWork::save() gave. The position stands before it, in a line of its own.
    [[nodiscard]] static std::string_view saved_in(std::string_view value);

    Reader(Parts parts, Options options, Role& role);

    /// Messages the bus brought.
    void offer(std::span<const MessageRef> messages);
    /// Hints may have been lost.
    void missed() { next_list_ = {}; }
    /// The room has got its message `head`.
    void follow(const RoomId& room, RoomSeq head) { notice(room, head); }
    /// Everything of the room to `head` is done, and the ledger says so.
    [[nodiscard]] bool has_saved(const RoomId& room, RoomSeq head) const;
    /// Some of what is due. Answers how long nothing will be; 0: there is more.
    milliseconds step();
    /// From any thread: step() begins no other message, until it may again.
    void hold_back(bool yes) { held_back_ = yes; }
    /// What is done. False: not all could be.
    bool save();
    /// Saves, and lets another server go on.
    void close();

    [[nodiscard]] bool is_at_work() const { return at_work_; }
    [[nodiscard]] std::size_t rooms_behind() const { return rooms_behind_; }
    /// From any thread: a store, or the effect in some room, has been waited for since more than stuck_after.
    [[nodiscard]] bool is_stuck() const;

private:
    static constexpr SteadyTime kNot = SteadyTime::max();
    struct Room {
        RoomSeq done;
        RoomSeq saved;
        RoomSeq head;
        std::uint64_t revision = 0;
        std::unique_ptr<RoomWork> work;  ///< null: what the ledger has is to be read
        std::deque<MessageRef> fresh;    ///< of hints: what may come next
        int tries = 0;                   ///< of the message behind `done`
        SteadyTime not_before{};
        SteadyTime waits_since = kNot;  ///< for the effect
        SteadyTime used{};
        bool queued = false;
        bool dirty = false;
    };
    using Rooms = std::unordered_map<RoomId, Room>;

    [[nodiscard]] std::string key_of(const RoomId& room) const;
    void begin_work();
    void end_work();
    void notice(const RoomId& id, RoomSeq head);
    void enqueue(const RoomId& id, Room& room);
    void list_some();
    void settle_list();
    void work_on_some();
    /// False: it has to wait.
    bool work_on(const RoomId& id, Room& room);
    bool load(const RoomId& id, Room& room);
    [[nodiscard]] Result<std::vector<MessageRef>> next_messages(const RoomId& id, Room& room);
    bool take(Room& room, const Message& message);
    void drop_done(Room& room);
    void drop_fresh(Room& room);
    void forget_idle();
    void note_waiting(SteadyTime step_began);
    void trouble(const std::string& why);
    bool wait_for_store(const Error& error);

    Parts parts_;
    const Options options_;
    Role& role_;
    std::optional<Lease> lease_;
    DeadLetters dead_;
    metrics::Counter& messages_;
    metrics::Counter& retries_;
    metrics::Counter& dead_letters_;

    Rooms rooms_;
    std::deque<RoomId> queue_;  ///< rooms with something to do, each once
    std::size_t fresh_ = 0;     ///< bytes, in all rooms
    SteadyTime not_before_{};   ///< a store is away
    SteadyTime next_save_{};
    SteadyTime next_forget_{};
    SteadyTime next_list_{};
    struct Listing {
        RoomId after;
        WallTime began;
        SteadyTime began_at;
    };
    std::optional<Listing> listing_;
    std::optional<WallTime> since_;     ///< rooms without a message since then are done; none: to be read
    std::uint64_t since_revision_ = 0;  ///< of its row
    std::optional<WallTime> listed_;    ///< when a list was begun that is through; its rooms may not be done yet
    std::string trouble_;
    SteadyTime store_waits_since_ = kNot;
    std::atomic<SteadyTime> waits_since_{kNot};  ///< for whatever
    std::atomic<SteadyTime> takes_since_{kNot};  ///< the message at hand
    std::atomic<bool> held_back_{false};
    std::atomic<bool> at_work_{false};
    std::atomic<std::size_t> rooms_behind_{0};
};

}  // namespace parley::worker
