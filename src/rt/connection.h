#pragma once
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "base/units.h"
#include "rt/loop.h"
#include "rt/out_queue.h"
#include "rt/tls.h"

namespace parley::rt {

class ConnectionSet;

/// One accepted socket: reads into the loop's lent buffer, queues references, writes once a turn.
///
/// Thread: core-local.
/// Owns:   the descriptor, the output queue and the current Handler. It is owned by its ConnectionSet and destroyed
///         after the turn in which it closed.
/// Order:  bytes leave in the order they were queued.
/// New:    until its handler has heard something each read waits for its turn among the loop's Newcomers.
/// TLS:    handlers see none of it. What is queued stays shared with others until a flush has room for it, and becomes
///         this connection's own, sealed, only then.
/// Fails:  a socket error, the peer's reset, TLS that fails or is cut off ends in Handler::on_closed(), once, and
///         nothing after it.
class Connection final : private Watcher {
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
        /// The peer does not speak TLS, where it was expected. From here on nobody does.
        virtual void on_plain_text(Connection& connection) { connection.abort(); }
        /// The peer will send no more.
        virtual void on_end_of_input(Connection& connection) { connection.abort(); }
        /// The queue went below half of ConnectionSet::send_buffer() after it had been above.
        virtual void on_drained(Connection& connection) { (void)connection; }
        /// The socket took nothing for the send time limit. The connection closes right after, but for who calls
        /// finish(): then it has the discard time to take something.
        virtual void on_stalled(Connection& connection) { (void)connection; }
        /// The connection is gone; `connection` must not be used after this returns.
        virtual void on_closed(Connection& connection) = 0;
    };

    ~Connection() override;

    void send(Slice slice);
    void send_copy(std::string_view bytes);
    [[nodiscard]] std::size_t queued() const noexcept { return out_.bytes(); }
    /// False once the queue is over the limit: who can wait does, until on_drained().
    [[nodiscard]] bool can_take() const noexcept { return state_ == State::kOpen && out_.bytes() < send_limit_; }
    /// Half of that: what may be dropped goes only where there is plenty of room.
    [[nodiscard]] bool is_relaxed() const noexcept { return state_ == State::kOpen && out_.bytes() < send_limit_ / 2; }
    /// When the socket last took something, or when the connection was opened.
    [[nodiscard]] SteadyTime last_write() const noexcept { return last_progress_; }

    void pause_reading() noexcept { paused_ = true; }
    [[nodiscard]] bool is_paused() const noexcept { return paused_; }
    /// Goes on with what is left and what has arrived, at the end of this turn.
    void resume_reading();
    /// Reads on when the process has memory again: for who holds the beginning of something.
    void wait_for_memory();
    [[nodiscard]] bool waits_for_memory() const noexcept { return starved_; }

    /// Takes over the bytes from the next one on. The old handler lives until the end of the turn.
    void set_handler(std::unique_ptr<Handler> handler);
    [[nodiscard]] Handler& handler() noexcept { return *handler_; }

    /// TLS begins with the next byte from the peer.
    void start_tls(std::unique_ptr<Tls> tls) noexcept {
        tls_ = std::move(tls);
        new_ = true;
    }
    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }

    /// Sends what is queued, half-closes, and discards input for a moment so that the peer can read it.
    void finish();
    /// Closes at the end of the turn without waiting for anything.
    void abort();
    [[nodiscard]] bool is_closing() const noexcept { return state_ != State::kOpen; }

    /// Gives the socket away, to be opened again on another loop. The handler hears no more of it. Never from inside
    /// on_data(): what it has not used is not known yet.
    struct Detached {
        int fd = -1;
        std::string unread{};
        std::string unsent{};
        std::unique_ptr<Tls> tls{};
        bool is_new = true;  ///< nothing of it has been read
    };
    [[nodiscard]] Detached detach();

    [[nodiscard]] Loop& loop() noexcept;
    [[nodiscard]] ConnectionSet& set() noexcept { return set_; }
    /// The peer's address without port, `127.0.0.1`; `unix:` on a Unix socket.
    [[nodiscard]] std::string peer_address() const;

private:
    friend class ConnectionSet;
    enum class State : std::uint8_t { kOpen, kFlushing, kDiscarding, kClosed };

    static constexpr std::uint32_t kNotDirty = UINT32_MAX;

    Connection(ConnectionSet& set, int fd, std::unique_ptr<Handler> handler);
    void on_events(std::uint32_t events) override;
    void on_welcome() override;
    [[nodiscard]] bool wants_turn() const noexcept;
    [[nodiscard]] bool is_new() const noexcept { return new_ && state_ == State::kOpen; }
    /// read_some() is called again: at the end of the turn, or with the newcomers.
    void ask_to_read();
    void forget_waiting() noexcept;
    [[nodiscard]] bool is_shaking_hands() const noexcept { return tls_ != nullptr && !tls_->is_established(); }
    [[nodiscard]] bool has_output() const noexcept;
    void before_flush();
    void queued(std::size_t count);
    void written(OutQueue& queue, ssize_t result, std::size_t asked);
    void settle();
    OutQueue& seal();
    void say_goodbye();
    void drop_output() noexcept;
    void wait_for_socket();
    void read_some();
    void unseal(std::span<char> arrived);
    void take_in(std::span<char> bytes);
    void deliver(std::span<char> bytes);
    void discard_input();
    void half_close();
    void close_now();

    // What a delivery touches comes first.
    State state_ = State::kOpen;
    bool was_over_limit_ = false;
    bool blocked_ = false;  ///< listed in set_.blocked_
    bool starved_ = false;  ///< listed in set_.starved_
    bool paused_ = false;
    bool readable_ = false;      ///< there may be more in the socket
    bool again_ = false;         ///< what is left over has a new reader or one that resumed
    bool end_of_input_ = false;  ///< to be told to the handler
    bool peer_ended_ = false;    ///< nothing more will be read
    bool hung_up_ = false;       ///< the end of input is known to follow
    bool delivering_ : 1 = false;
    bool abort_ : 1 = false;
    bool new_ : 1 = true;              ///< its handler has heard nothing
    bool awaits_welcome_ : 1 = false;  ///< listed in the loop's newcomers
    bool stalled_ : 1 = false;         ///< on_stalled() was called
    int fd_;
    std::uint32_t dirty_slot_ = kNotDirty;  ///< where in set_.dirty_ or set_.ending_
    std::uint32_t send_limit_;
    OutQueue out_;
    std::unique_ptr<Tls> tls_;  ///< null on a plain connection
    ConnectionSet& set_;
    SteadyTime last_progress_;
    std::unique_ptr<Handler> handler_;
    std::unique_ptr<std::string> left_over_;  ///< null while there is nothing
    std::uint32_t set_index_ = 0;
    std::uint32_t discarded_ = 0;
};

/// The connections of one loop, their limits and their sums, and the one write a turn for all that gathered something.
///
/// Thread: core-local; the sums may be read from anywhere.
/// Order:  at the end of a turn first every call into handlers, then the writes of all dirty connections in batches,
///         each batch's results after it: no handler runs while the kernel holds references to queued bytes.
class ConnectionSet final : private TurnEnd {
public:
    struct Limits {
        Bytes send_buffer{512 * 1024};
        seconds send_time{20};
        Bytes discard{16 * 1024 * 1024};
        seconds discard_time{2};
        const MemoryBudget* memory = nullptr;  ///< null: there is always enough
    };

    ConnectionSet(Loop& loop, Limits limits);
    ~ConnectionSet() override;

    /// Takes the descriptor. The connection lives until it closes.
    Connection& open(int fd, std::unique_ptr<Connection::Handler> handler);
    /// Goes on with a connection of another loop. What it had not sent is sent first.
    Connection& open(Connection::Detached detached, std::unique_ptr<Connection::Handler> handler);
    void close_all();
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
    /// What a connection may have queued now: at most limits().send_buffer, less while memory is short.
    [[nodiscard]] Bytes send_buffer() const noexcept { return send_buffer_; }
    void set_send_buffer(Bytes now) noexcept;
    /// Reads are short then, and who gets the beginning of something waits for memory.
    [[nodiscard]] bool is_short_of_memory() const noexcept {
        return limits_.memory != nullptr && limits_.memory->is_full();
    }
    [[nodiscard]] std::uint64_t queued_bytes() const noexcept { return queued_bytes_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
    /// Of TLS, done and failed, since the start.
    [[nodiscard]] std::uint64_t handshakes() const noexcept { return handshakes_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t failed_handshakes() const noexcept {
        return failed_handshakes_.load(std::memory_order_relaxed);
    }

private:
    friend class Connection;
    struct Batch;
    void mark_dirty(Connection& connection) {
        if (connection.dirty_slot_ != Connection::kNotDirty) return;
        if (dirty_.empty()) loop_.at_turn_end(*this);
        connection.dirty_slot_ = static_cast<std::uint32_t>(dirty_.size());
        dirty_.push_back(&connection);
    }
    [[nodiscard]] std::uint32_t send_limit() const noexcept {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(send_buffer_.count, UINT32_MAX));
    }
    void forget_dirty(Connection& connection) noexcept;
    static void add_one(std::atomic<std::uint64_t>& what) noexcept { what.fetch_add(1, std::memory_order_relaxed); }
    /// For one record, opened or to be sealed; lent for the call.
    [[nodiscard]] std::span<char> record_buffer();
    void on_turn_end() override;
    void flush();
    void count_queued(std::int64_t change) noexcept {
        // One writer: no need to lock the bus.
        queued_bytes_.store(queued_bytes_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(change),
                            std::memory_order_relaxed);
    }
    void sweep();
    void feed_starved();
    void remove(Connection& connection);

    Loop& loop_;
    const Limits limits_;
    Bytes send_buffer_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> dirty_;    ///< have something to do at the end of the turn
    std::vector<Connection*> ending_;   ///< what dirty_ was, while that happens; null: gone
    std::vector<Connection*> blocked_;  ///< wrote less than they had, or are discarding input
    std::vector<Connection*> starved_;  ///< wait for memory
    std::unique_ptr<Batch> batch_;
    std::unique_ptr<char[]> record_buffer_;  ///< null until TLS is spoken
    Timer sweep_timer_;
    std::atomic<std::uint64_t> queued_bytes_{0};
    std::atomic<std::uint64_t> count_{0};
    std::atomic<std::uint64_t> handshakes_{0};
    std::atomic<std::uint64_t> failed_handshakes_{0};
};

inline Loop& Connection::loop() noexcept { return set_.loop_; }

}  // namespace parley::rt
