#pragma once
#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "rt/loop.h"
#include "rt/out_queue.h"

namespace parley::rt {

class ConnectionSet;

/// One accepted socket: reads into the loop's lent buffer, queues references, writes once a turn.
///
/// Thread: core-local.
/// Owns:   the descriptor, the output queue and the current Handler. It is owned by its ConnectionSet and destroyed
///         after the turn in which it closed.
/// Order:  bytes leave in the order they were queued.
/// Fails:  a socket error or the peer's reset ends in Handler::on_closed(), once, and nothing after it.
class Connection final : private Watcher, private TurnEnd {
public:
    /// What the bytes mean: HTTP first, then WebSocket, ... Every call comes from the loop.
    class Handler {
    public:
        virtual ~Handler() = default;
        /// The connection is this handler's from now on.
        virtual void on_open(Connection& connection) { (void)connection; }
        /// Returns how many bytes were used. The rest is given again with more behind it, after resume_reading(), or to
        /// the next handler.
        virtual std::size_t on_data(Connection& connection, std::span<char> bytes) = 0;
        /// The peer will send no more.
        virtual void on_end_of_input(Connection& connection) { connection.abort(); }
        /// The queue went below half of what send_limit allows after it had been above.
        virtual void on_drained(Connection& connection) { (void)connection; }
        /// The socket took nothing for the send time limit. The connection closes right after.
        virtual void on_stalled(Connection& connection) { (void)connection; }
        /// The connection is gone; `connection` must not be used after this returns.
        virtual void on_closed(Connection& connection) = 0;
    };

    ~Connection() override;

    void send(Slice slice);
    void send_copy(std::string_view bytes);
    [[nodiscard]] std::size_t queued() const noexcept { return out_.bytes(); }
    /// False once the queue is over the limit: who can wait does, until on_drained().
    [[nodiscard]] bool can_take() const noexcept;

    void pause_reading() noexcept { paused_ = true; }
    /// Goes on with what is left and what has arrived, at the end of this turn.
    void resume_reading();

    /// Takes over the bytes from the next one on. The old handler lives until the end of the turn.
    void set_handler(std::unique_ptr<Handler> handler);
    [[nodiscard]] Handler& handler() noexcept { return *handler_; }

    /// Sends what is queued, half-closes, and discards input for a moment so that the peer can read it.
    void finish();
    /// Closes at the end of the turn without waiting for anything.
    void abort();
    [[nodiscard]] bool is_closing() const noexcept { return state_ != State::kOpen; }

    /// Gives the socket away, to be opened again on another loop. The handler hears no more of it. Never from inside
    /// on_data(): what it has not used is not known yet.
    struct Detached {
        int fd = -1;
        std::string unread;
        std::string unsent;
    };
    [[nodiscard]] Detached detach();

    [[nodiscard]] Loop& loop() noexcept { return loop_; }
    [[nodiscard]] ConnectionSet& set() noexcept { return set_; }
    /// The peer's address without port, `127.0.0.1`.
    [[nodiscard]] std::string peer_address() const;

private:
    friend class ConnectionSet;
    enum class State : std::uint8_t { kOpen, kFlushing, kDiscarding, kClosed };

    Connection(ConnectionSet& set, int fd, std::unique_ptr<Handler> handler);
    void on_events(std::uint32_t events) override;
    void on_turn_end() override;
    void read_some();
    void deliver(std::span<char> bytes);
    void discard_input();
    void flush();
    void half_close();
    void close_now();

    Loop& loop_;
    ConnectionSet& set_;
    std::unique_ptr<Handler> handler_;
    OutQueue out_;
    std::string left_over_;
    SteadyTime last_progress_;
    std::size_t set_index_ = 0;
    std::uint32_t discarded_ = 0;
    int fd_;
    State state_ = State::kOpen;
    bool paused_ = false;
    bool readable_ = false;      ///< there may be more in the socket
    bool again_ = false;         ///< what is left over has a new reader or one that resumed
    bool end_of_input_ = false;  ///< to be told to the handler
    bool peer_ended_ = false;    ///< nothing more will be read
    bool was_over_limit_ = false;
    bool blocked_ = false;  ///< listed in set_.blocked_
    bool delivering_ = false;
    bool abort_ = false;
};

/// The connections of one loop, their limits and their sums. Thread: core-local; the sums may be read from anywhere.
class ConnectionSet {
public:
    struct Limits {
        Bytes send_buffer{512 * 1024};
        seconds send_time{20};
        Bytes discard{16 * 1024 * 1024};
        seconds discard_time{2};
    };

    ConnectionSet(Loop& loop, Limits limits);
    ~ConnectionSet();

    /// Takes the descriptor; `unread` is what another loop had read of it. The connection lives until it closes.
    Connection& open(int fd, std::unique_ptr<Connection::Handler> handler, std::string unread = {});
    void close_all();
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::uint64_t queued_bytes() const noexcept { return queued_bytes_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

private:
    friend class Connection;
    void sweep();
    void remove(Connection& connection);

    Loop& loop_;
    const Limits limits_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> blocked_;  ///< wrote less than they had, or are discarding input
    Timer sweep_timer_;
    std::atomic<std::uint64_t> queued_bytes_{0};
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace parley::rt
