#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/stamp.h"

namespace parley::bench {

/// One connection of a run: who it is and what it does.
struct Seat {
    std::uint32_t number = 0;
    int room = 0;
    std::string room_name;  ///< of this run alone
    std::string member;     ///< the same in all runs
    bool sends = false;
    bool receives = false;
    std::uint64_t after_seq = 0;  ///< resume behind it; 0: live only
};

/// Why a conversation is over.
enum class End : std::uint8_t {
    kBroken,   ///< an ERROR frame, a close, something that cannot be read
    kTooSlow,  ///< the server gave up a reader that takes nothing
    kBusy,     ///< refused politely: 503 with Retry-After
};

/// What a conversation makes of the bytes it is given; the connection implements it.
class Events {
public:
    /// May send, and hears what is sent from now on.
    virtual void on_live() = 0;
    /// `seq` 0: this dialect has none.
    virtual void on_delivery(std::uint64_t seq, const Stamp& stamp) = 0;
    /// The room's record `seq` is nobody's of this run: a membership.
    virtual void on_other(std::uint64_t seq) = 0;
    /// Before the first delivery, where that is known: everything behind `seq` is to come.
    virtual void on_start(std::uint64_t seq) = 0;
    /// A delivery that names its sender only (events that are not stored).
    virtual void on_event(std::uint32_t sender) = 0;
    virtual void on_unreadable(std::string_view what) = 0;
    virtual void on_receipt(std::uint32_t counter, std::uint64_t seq) = 0;
    /// `counter` 0: the server did not say of which SEND.
    virtual void on_refusal(std::uint32_t counter, std::string_view why) = 0;
    virtual void on_resync() = 0;
    virtual void on_end(End end, std::string_view why) = 0;

protected:
    ~Events() = default;
};

/// One connection's side of a protocol: bytes in, events and bytes out; no IO. Says Events::on_live() once. Thread:
/// one.
class Conversation {
public:
    virtual ~Conversation() = default;
    /// The first bytes, once the socket is connected.
    virtual void begin(std::string& out) = 0;
    /// Takes what is whole of `bytes` and returns its size; answers go to `out`. Nothing more after Events::on_end().
    virtual std::size_t take(std::string_view bytes, std::string& out, Events& events) = 0;
    /// A message with `size` bytes of content that begin with `stamp`. Allocates nothing once `out` is large enough.
    virtual void append_send(std::string& out, const Stamp& stamp, std::size_t size) = 0;
    /// A polite end, where there is one.
    virtual void append_close(std::string&) {}
    /// The same client's other connection, by which it sends where this one only brings what there is; nullptr: it has
    /// none.
    [[nodiscard]] virtual Conversation* way_back() { return nullptr; }
    /// What has come up for this connection while the client was busy with the other.
    virtual void append_waiting(std::string&) {}
    /// The server has closed the connection. True: it may; what is appended, now or later, opens another one.
    virtual bool on_closed(std::string&) { return false; }
    /// Every Dialect::Traits::every, once it is live.
    virtual void on_tick(std::string&) {}
};

/// A protocol that a run can speak. Thread: one. Outlives its conversations.
class Dialect {
public:
    struct Traits {
        bool receipts = true;  ///< the server answers each SEND; else the delivery to the sender itself does
        bool seqs = true;      ///< deliveries carry a dense number of their room
        bool counted = false;  ///< deliveries carry no stamp: on_event() alone
        std::chrono::milliseconds every{0};  ///< of Conversation::on_tick()
    };

    virtual ~Dialect() = default;
    [[nodiscard]] virtual Traits traits() const noexcept = 0;
    [[nodiscard]] virtual std::unique_ptr<Conversation> converse(Seat seat) = 0;
};

}  // namespace parley::bench
