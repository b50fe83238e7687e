#include "rt/connection.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/ip.h"

namespace parley::rt {
namespace {
constexpr int kReadsPerTurn = 4;
/// While the process is short of memory.
constexpr std::size_t kShortRead = 4096;
constexpr std::size_t kSlicesPerWrite = 64;
/// How far ahead of its use a connection is fetched into the cache.
constexpr std::size_t kFetchAhead = 4;
}  // namespace

/// What goes to the kernel in one call.
struct ConnectionSet::Batch {
    static constexpr std::size_t kWrites = kWritesAtOnce;
    static constexpr std::size_t kParts = 4 * kWrites;
    std::array<Write, kWrites> writes;
    std::array<Connection*, kWrites> connections;
    std::array<OutQueue*, kWrites> queues;
    std::array<std::size_t, kWrites> asked;
    std::array<iovec, kParts> parts;
};

Connection::Connection(ConnectionSet& set, int fd, std::unique_ptr<Handler> handler)
    : fd_(fd), send_limit_(set.send_limit()), set_(set), last_progress_(set.loop_.now()), handler_(std::move(handler)) {
    set_.loop_.watch(fd_, *this);
}

Connection::~Connection() = default;

std::string Connection::peer_address() const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    if (address.ss_family == AF_UNIX) return "unix:";
    if (address.ss_family == AF_INET) {
        const auto& ip = reinterpret_cast<sockaddr_in&>(address).sin_addr;
        return IpAddress::of_v4(reinterpret_cast<const std::uint8_t*>(&ip)).text();
    }
    // A client over IPv4 on a dual-stack socket is the same client.
    return IpAddress::of_v6(reinterpret_cast<sockaddr_in6&>(address).sin6_addr.s6_addr).text();
}

void Connection::send(Slice slice) {
    if (state_ != State::kOpen) return;
    const std::size_t count = slice.size();
    if (out_.empty()) last_progress_ = set_.loop_.now();
    out_.push(std::move(slice));
    queued(count);
}

void Connection::send_copy(std::string_view bytes) {
    if (state_ != State::kOpen) return;
    if (out_.empty()) last_progress_ = set_.loop_.now();
    out_.push_copy(bytes);
    queued(bytes.size());
}

void Connection::queued(std::size_t count) {
    set_.count_queued(static_cast<std::int64_t>(count));
    was_over_limit_ |= out_.bytes() >= send_limit_;
    set_.mark_dirty(*this);
}

void Connection::resume_reading() {
    paused_ = false;
    again_ = true;
    if (state_ != State::kOpen) return;
    if (readable_ || left_over_ != nullptr || end_of_input_) ask_to_read();
}

void Connection::ask_to_read() {
    if (!is_new()) {
        set_.mark_dirty(*this);
    } else if (!awaits_welcome_) {
        awaits_welcome_ = true;
        set_.loop_.newcomers().ask(*this);
    }
}

void Connection::on_welcome() {
    awaits_welcome_ = false;
    read_some();
}

void Connection::forget_waiting() noexcept {
    if (awaits_welcome_) set_.loop_.newcomers().forget(*this);
    awaits_welcome_ = false;
}

void Connection::wait_for_memory() {
    paused_ = true;
    if (std::exchange(starved_, true)) return;
    set_.starved_.push_back(this);
}

void Connection::set_handler(std::unique_ptr<Handler> handler) {
    set_.loop_.bury(std::move(handler_));
    handler_ = std::move(handler);
    again_ = true;
    if (left_over_ != nullptr) set_.mark_dirty(*this);
    handler_->on_open(*this);
}

void Connection::on_events(std::uint32_t events) {
    if (state_ == State::kClosed) return;
    if ((events & EPOLLERR) != 0) {
        close_now();
        return;
    }
    if ((events & EPOLLOUT) != 0 && (has_output() || state_ == State::kFlushing)) set_.mark_dirty(*this);
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        readable_ = true;
        hung_up_ |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
        if (is_new()) {
            ask_to_read();
        } else {
            read_some();
        }
    }
}

void Connection::read_some() {
    if (state_ == State::kDiscarding || state_ == State::kFlushing) {
        discard_input();
        return;
    }
    if (delivering_) return;
    if (!paused_ && std::exchange(again_, false) && left_over_ != nullptr) {
        const auto bytes = std::exchange(left_over_, nullptr);
        deliver(*bytes);
    }
    for (int i = 0; i < kReadsPerTurn && readable_ && !paused_ && state_ == State::kOpen; ++i) {
        const auto whole = set_.loop_.read_buffer();
        const auto buffer = set_.is_short_of_memory() ? whole.first(kShortRead) : whole;
        const ssize_t n = set_.loop_.kernel().receive(fd_, buffer);
        if (n > 0) {
            const auto count = static_cast<std::size_t>(n);
            // Edge-triggered: a short read has emptied the socket, and what comes later is a new event.
            if (count < buffer.size() && !hung_up_) readable_ = false;
            if (tls_ == nullptr) {
                take_in(buffer.first(count));
            } else {
                unseal(buffer.first(count));
            }
        } else if (n == 0) {
            readable_ = false;
            if (tls_ != nullptr && !tls_->peer_has_ended()) {
                close_now();  // cut off: whether that was all nobody can know
                return;
            }
            end_of_input_ |= !peer_ended_;
            peer_ended_ = true;
        } else if (n == -EAGAIN || n == -EWOULDBLOCK) {
            readable_ = false;
        } else {
            close_now();
            return;
        }
    }
    if (state_ != State::kOpen) return;
    if (end_of_input_ && !paused_) {
        end_of_input_ = false;
        handler_->on_end_of_input(*this);
        return;
    }
    if (readable_ && !paused_) ask_to_read();  // more than its share: the others first
}

void Connection::take_in(std::span<char> bytes) {
    if (left_over_ == nullptr) {
        deliver(bytes);
        return;
    }
    const auto all = std::exchange(left_over_, nullptr);
    all->append(bytes.data(), bytes.size());
    deliver(*all);
}

void Connection::deliver(std::span<char> bytes) {
    const bool was_tls = is_tls();
    delivering_ = true;
    new_ = false;
    while (!bytes.empty() && state_ == State::kOpen && !paused_) {
        Handler* const before = handler_.get();
        const std::size_t used = before->on_data(*this, bytes);
        bytes = bytes.subspan(used);
        if (is_tls() != was_tls) {  // what is behind a PROXY header
            delivering_ = false;
            if (!bytes.empty()) unseal(bytes);
            return;
        }
        // Only a new handler may find use for what the old one left.
        if (used == 0 && handler_.get() == before) break;
    }
    delivering_ = false;
    if (state_ != State::kOpen || bytes.empty()) return;
    if (left_over_ == nullptr) left_over_ = std::make_unique<std::string>();
    left_over_->insert(0, bytes.data(), bytes.size());
}

void Connection::discard_input() {
    const auto buffer = set_.loop_.read_buffer();
    for (int i = 0; i < kReadsPerTurn && readable_; ++i) {
        const ssize_t n = set_.loop_.kernel().receive(fd_, buffer);
        if (n > 0) {
            discarded_ += static_cast<std::uint32_t>(n);
            if (discarded_ > set_.limits_.discard.count) {
                close_now();
                return;
            }
        } else if (n == -EAGAIN || n == -EWOULDBLOCK) {
            readable_ = false;
        } else if (n == 0 && state_ == State::kFlushing) {
            readable_ = false;  // it may still read our answer
            peer_ended_ = true;
        } else {
            close_now();
            return;
        }
    }
    if (readable_) set_.mark_dirty(*this);
}

// --- the end of the turn ------------------------------------------------------------------------------------------

bool Connection::wants_turn() const noexcept {
    if (abort_) return true;
    if (state_ != State::kOpen) return readable_;
    if (new_) return false;
    return !paused_ && (readable_ || end_of_input_ || (again_ && left_over_ != nullptr));
}

/// What calls into handlers: nothing of this connection is in the kernel's hands yet.
void Connection::before_flush() {
    if (abort_) {
        close_now();
        return;
    }
    if (wants_turn()) read_some();
    if (state_ == State::kClosed || !out_.empty()) return;
    if (state_ == State::kFlushing && is_tls()) say_goodbye();
    settle();
}

void Connection::drop_output() noexcept {
    set_.count_queued(-static_cast<std::int64_t>(out_.bytes()));
    out_.clear();
}

bool Connection::has_output() const noexcept { return !out_.empty() || (tls_ != nullptr && !tls_->sealed().empty()); }

void Connection::written(OutQueue& queue, ssize_t result, std::size_t asked) {
    if (state_ == State::kClosed) return;
    if (result < 0 && result != -EAGAIN && result != -EWOULDBLOCK) {
        close_now();
        return;
    }
    if (result > 0) {
        set_.count_queued(-result);
        queue.written(static_cast<std::size_t>(result));
        last_progress_ = set_.loop_.now();
    }
    if (!queue.empty()) {
        // All it was offered, but not all there is: the rest has its turn next. Else the socket is full.
        if (result == static_cast<ssize_t>(asked)) {
            set_.mark_dirty(*this);
        } else {
            wait_for_socket();
        }
    } else if (!out_.empty()) {
        set_.mark_dirty(*this);  // not sealed yet
    }
    settle();
}

void Connection::settle() {
    if (was_over_limit_ && out_.bytes() <= send_limit_ / 2) {
        was_over_limit_ = false;
        if (state_ == State::kOpen) handler_->on_drained(*this);
    }
    if (state_ != State::kFlushing || abort_ || has_output()) return;
    if (tls_ == nullptr || tls_->has_ended()) half_close();
}

void Connection::wait_for_socket() {
    if (blocked_) return;
    blocked_ = true;
    set_.blocked_.push_back(this);
}

// --- the end of the connection ------------------------------------------------------------------------------------

void Connection::finish() {
    if (state_ != State::kOpen) return;
    state_ = State::kFlushing;
    left_over_.reset();
    if (is_tls() && !tls_->is_open()) drop_output();  // there is no way to seal it
    wait_for_socket();
    last_progress_ = set_.loop_.now();
    set_.mark_dirty(*this);
}

void Connection::half_close() {
    set_.loop_.kernel().end_output(fd_);
    state_ = State::kDiscarding;
    last_progress_ = set_.loop_.now();
    if (peer_ended_) {
        close_now();
    } else {
        discard_input();
    }
}

void Connection::abort() {
    if (state_ == State::kClosed || abort_) return;
    // Not from inside a handler's call: it may still be using the connection.
    abort_ = true;
    state_ = State::kFlushing;
    set_.mark_dirty(*this);
}

void Connection::close_now() {
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    set_.loop_.unwatch(fd_, *this);
    set_.forget_dirty(*this);
    forget_waiting();
    drop_output();
    if (tls_ != nullptr) {
        set_.count_queued(-static_cast<std::int64_t>(tls_->sealed().bytes()));
        tls_->sealed().clear();
    }
    set_.remove(*this);
    handler_->on_closed(*this);
    set_.loop_.kernel().close(std::exchange(fd_, -1));
}

Connection::Detached Connection::detach() {
    Detached out{fd_, left_over_ == nullptr ? std::string{} : std::move(*left_over_), {}};
    while (!out_.empty()) {
        std::array<iovec, kSlicesPerWrite> parts;
        const std::size_t count = out_.gather(parts);
        std::size_t bytes = 0;
        for (const iovec& part : std::span{parts}.first(count)) {
            out.unsent.append(static_cast<const char*>(part.iov_base), part.iov_len);
            bytes += part.iov_len;
        }
        out_.written(bytes);
    }
    set_.count_queued(-static_cast<std::int64_t>(out.unsent.size()));
    if (tls_ != nullptr) {
        set_.count_queued(-static_cast<std::int64_t>(tls_->sealed().bytes()));
        out.tls = std::move(tls_);
    }
    out.is_new = new_;
    state_ = State::kClosed;
    set_.loop_.unwatch(fd_, *this);
    set_.forget_dirty(*this);
    forget_waiting();
    fd_ = -1;
    set_.remove(*this);
    return out;
}

ConnectionSet::ConnectionSet(Loop& loop, Limits limits)
    : loop_(loop),
      limits_(limits),
      send_buffer_(limits.send_buffer),
      batch_(std::make_unique_for_overwrite<Batch>()),
      sweep_timer_(Timer::of<&ConnectionSet::sweep>(this)) {
    loop_.arm(sweep_timer_, seconds{1});
}

ConnectionSet::~ConnectionSet() {
    close_all();
    loop_.forget_turn_end(*this);
}

Connection& ConnectionSet::open(int fd, std::unique_ptr<Connection::Handler> handler) {
    return open(Connection::Detached{.fd = fd}, std::move(handler));
}

Connection& ConnectionSet::open(Connection::Detached detached, std::unique_ptr<Connection::Handler> handler) {
    connections_.push_back(std::unique_ptr<Connection>{new Connection{*this, detached.fd, std::move(handler)}});
    connections_.back()->set_index_ = static_cast<std::uint32_t>(connections_.size() - 1);
    count_.store(connections_.size(), std::memory_order_relaxed);
    Connection& connection = *connections_.back();
    connection.new_ = detached.is_new;
    if (!detached.unread.empty()) {
        connection.left_over_ = std::make_unique<std::string>(std::move(detached.unread));
        connection.resume_reading();
    }
    if (detached.tls != nullptr) {
        connection.tls_ = std::move(detached.tls);
        count_queued(static_cast<std::int64_t>(connection.tls_->sealed().bytes()));
        mark_dirty(connection);
    }
    if (!detached.unsent.empty()) connection.send_copy(detached.unsent);
    connection.handler_->on_open(connection);
    return connection;
}

void ConnectionSet::set_send_buffer(Bytes now) noexcept {
    send_buffer_ = std::min(now, limits_.send_buffer);
    // Who asks is told no from now on, and is to hear of it when they have drained.
    for (const auto& connection : connections_) {
        connection->send_limit_ = send_limit();
        connection->was_over_limit_ |= !connection->can_take();
    }
}

void ConnectionSet::close_all() {
    while (!connections_.empty()) connections_.back()->close_now();
}

void ConnectionSet::remove(Connection& connection) {
    if (connection.blocked_) std::erase(blocked_, &connection);
    if (connection.starved_) std::erase(starved_, &connection);
    const std::uint32_t index = connection.set_index_;
    std::swap(connections_[index], connections_.back());
    connections_[index]->set_index_ = index;
    loop_.bury(std::move(connections_.back()));
    connections_.pop_back();
    count_.store(connections_.size(), std::memory_order_relaxed);
}

void ConnectionSet::forget_dirty(Connection& connection) noexcept {
    const std::size_t slot = std::exchange(connection.dirty_slot_, Connection::kNotDirty);
    if (slot == Connection::kNotDirty) return;
    const bool is_ending = slot < ending_.size() && ending_[slot] == &connection;
    (is_ending ? ending_ : dirty_)[slot] = nullptr;
}

void ConnectionSet::on_turn_end() {
    ending_.swap(dirty_);
    for (std::size_t i = 0; i < ending_.size(); ++i) {
        if (ending_[i] != nullptr) ending_[i]->before_flush();
    }
    flush();
    ending_.clear();
}

void ConnectionSet::flush() {
    Batch& batch = *batch_;
    for (std::size_t next = 0; next < ending_.size();) {
        std::size_t writes = 0;
        std::size_t parts = 0;
        for (; next < ending_.size() && writes < Batch::kWrites && parts + kSlicesPerWrite <= Batch::kParts; ++next) {
            if (next + kFetchAhead < ending_.size()) __builtin_prefetch(ending_[next + kFetchAhead]);
            Connection* const connection = std::exchange(ending_[next], nullptr);
            if (connection == nullptr) continue;
            connection->dirty_slot_ = Connection::kNotDirty;
            if (connection->wants_turn()) mark_dirty(*connection);
            const auto room = std::span{batch.parts}.subspan(parts, kSlicesPerWrite);
            OutQueue& queue = connection->tls_ == nullptr ? connection->out_ : connection->seal();
            const std::size_t count = queue.gather(room);
            if (count == 0) continue;
            std::size_t asked = 0;
            for (const iovec& part : room.first(count)) asked += part.iov_len;
            batch.writes[writes] = {connection->fd_, static_cast<std::uint32_t>(count), room.data()};
            batch.asked[writes] = asked;
            batch.queues[writes] = &queue;
            batch.connections[writes++] = connection;
            parts += count;
        }
        loop_.kernel().write(std::span{batch.writes}.first(writes));
        // A handler called here may close any of them: they are destroyed after the turn, not before.
        for (std::size_t i = 0; i < writes; ++i) {
            batch.connections[i]->written(*batch.queues[i], batch.writes[i].result, batch.asked[i]);
        }
    }
}

void ConnectionSet::feed_starved() {
    if (is_short_of_memory()) return;
    for (Connection* const connection : std::exchange(starved_, {})) {
        connection->starved_ = false;
        connection->resume_reading();
    }
}

void ConnectionSet::sweep() {
    feed_starved();
    const auto now = loop_.now();
    for (std::size_t i = blocked_.size(); i-- > 0;) {
        if (i >= blocked_.size()) continue;  // a handler closed others
        Connection& connection = *blocked_[i];
        const bool ending = connection.state_ == Connection::State::kDiscarding || connection.stalled_;
        if (!ending && connection.state_ == Connection::State::kOpen && !connection.has_output()) {
            connection.blocked_ = false;
            blocked_[i] = blocked_.back();
            blocked_.pop_back();
            continue;
        }
        const milliseconds limit = ending ? limits_.discard_time : limits_.send_time;
        if (now - connection.last_progress_ < limit) continue;
        if (connection.state_ == Connection::State::kOpen) {
            connection.stalled_ = true;
            connection.handler_->on_stalled(connection);
            if (connection.state_ == Connection::State::kFlushing) continue;
        }
        connection.close_now();
    }
    loop_.arm(sweep_timer_, seconds{1});
}

}  // namespace parley::rt
