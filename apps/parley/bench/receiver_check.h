#pragma once
#include <cstdint>
#include <vector>

#include "bench/room_check.h"
#include "bench/stamp.h"
#include "bench/tally.h"

namespace parley::bench {

/// What all receivers of a run are judged by besides their rooms. Thread: one.
struct Senders {
    /// Per connection: its highest counter that was acknowledged. Those that do not send: 0.
    std::vector<std::uint32_t> acknowledged;
    /// Events that carry no stamp: when each sender's were sent, the newest 64.
    static constexpr std::size_t kRemembered = 64;
    std::vector<std::int64_t> event_times;
};

/// One receiver's view of its room: every message exactly once and in order, by the dense seq of the room where the
/// dialect has one, else by the counters of each sender.
/// Thread: one. Fails: what is wrong is counted in the tally.
class ReceiverCheck {
public:
    /// `first_sender` and `stride`: the senders of the room are first, first + stride, …
    struct Room {
        RoomCheck* check = nullptr;
        const Senders* senders = nullptr;
        std::uint32_t first_sender = 0;
        std::uint32_t stride = 1;
        std::uint32_t count = 0;
    };
    ReceiverCheck(std::uint32_t number, Room room, Tally& tally) : number_(number), room_(room), tally_(tally) {}

    /// From `ns` on everything must arrive. `resumed_after`: everything behind that seq.
    void live(std::int64_t ns, std::uint64_t resumed_after) noexcept;
    void on_seq(std::uint64_t seq, const Stamp& stamp);
    void on_counter(const Stamp& stamp);
    /// The sender's next event: its number among that sender's.
    std::uint32_t on_event(std::uint32_t sender);

    [[nodiscard]] std::uint64_t last_seq() const noexcept { return last_; }
    /// Whether every acknowledged message that had to has arrived here.
    [[nodiscard]] bool complete(bool by_seq) const noexcept;

private:
    static constexpr std::uint32_t kUnknown = ~0U;
    /// nullptr: no sender of this room.
    std::uint32_t* counter_of(std::uint32_t sender);
    void jumped(std::uint64_t from, std::uint64_t to, const char* what);

    std::uint32_t number_;
    Room room_;
    Tally& tally_;
    std::int64_t live_ns_ = 0;  ///< 0: from the beginning of the room
    std::uint64_t first_ = 0;
    std::uint64_t last_ = 0;
    std::vector<std::uint32_t> counters_;  ///< of each sender of the room, where there are no seqs
};

}  // namespace parley::bench
