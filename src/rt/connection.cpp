#include "rt/connection.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace parley::rt {
namespace {
constexpr int kReadsPerTurn = 4;
constexpr std::size_t kSlicesPerWrite = 64;
}  // namespace

Connection::Connection(ConnectionSet& set, int fd, std::unique_ptr<Handler> handler)
    : loop_(set.loop_), set_(set), handler_(std::move(handler)), last_progress_(loop_.now()), fd_(fd) {
    loop_.watch(fd_, *this);
}

Connection::~Connection() {
    loop_.forget_turn_end(*this);
    if (fd_ >= 0) ::close(fd_);
}

std::string Connection::peer_address() const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    if (address.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text.data(), text.size());
    } else if (address.ss_family == AF_INET6) {
        const auto& ip = reinterpret_cast<sockaddr_in6&>(address).sin6_addr;
        // A client over IPv4 on a dual-stack socket is the same client.
        if (IN6_IS_ADDR_V4MAPPED(&ip)) {
            ::inet_ntop(AF_INET, &ip.s6_addr[12], text.data(), text.size());
        } else {
            ::inet_ntop(AF_INET6, &ip, text.data(), text.size());
        }
    }
    return text.data();
}

bool Connection::can_take() const noexcept {
    return state_ == State::kOpen && out_.bytes() < set_.limits_.send_buffer.count;
}

void Connection::send(Slice slice) {
    if (state_ != State::kOpen) return;
    if (out_.empty()) last_progress_ = loop_.now();
    set_.queued_bytes_.fetch_add(slice.size(), std::memory_order_relaxed);
    out_.push(std::move(slice));
    was_over_limit_ |= !can_take();
    loop_.at_turn_end(*this);
}

void Connection::send_copy(std::string_view bytes) {
    if (state_ != State::kOpen) return;
    if (out_.empty()) last_progress_ = loop_.now();
    set_.queued_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
    out_.push_copy(bytes);
    was_over_limit_ |= !can_take();
    loop_.at_turn_end(*this);
}

void Connection::resume_reading() {
    paused_ = false;
    again_ = true;
    if (state_ != State::kOpen) return;
    if (readable_ || !left_over_.empty() || end_of_input_) loop_.at_turn_end(*this);
}

void Connection::set_handler(std::unique_ptr<Handler> handler) {
    loop_.bury(std::move(handler_));
    handler_ = std::move(handler);
    again_ = true;
    if (!left_over_.empty()) loop_.at_turn_end(*this);
    handler_->on_open(*this);
}

void Connection::on_events(std::uint32_t events) {
    if (state_ == State::kClosed) return;
    if ((events & EPOLLERR) != 0) {
        close_now();
        return;
    }
    if ((events & EPOLLOUT) != 0 && (!out_.empty() || state_ == State::kFlushing)) loop_.at_turn_end(*this);
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        readable_ = true;
        read_some();
    }
}

void Connection::read_some() {
    if (state_ == State::kDiscarding || state_ == State::kFlushing) {
        discard_input();
        return;
    }
    if (delivering_) return;
    if (!paused_ && std::exchange(again_, false) && !left_over_.empty()) {
        std::string bytes;
        bytes.swap(left_over_);
        deliver(bytes);
    }
    for (int i = 0; i < kReadsPerTurn && readable_ && !paused_ && state_ == State::kOpen; ++i) {
        const auto buffer = loop_.read_buffer();
        const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (n > 0) {
            if (left_over_.empty()) {
                deliver(buffer.first(static_cast<std::size_t>(n)));
            } else {
                std::string bytes;
                bytes.swap(left_over_);
                bytes.append(buffer.data(), static_cast<std::size_t>(n));
                deliver(bytes);
            }
        } else if (n == 0) {
            readable_ = false;
            end_of_input_ = peer_ended_ = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            readable_ = false;
        } else if (errno != EINTR) {
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
    if (readable_ && !paused_) loop_.at_turn_end(*this);  // more than its share: the others first
}

void Connection::deliver(std::span<char> bytes) {
    delivering_ = true;
    while (!bytes.empty() && state_ == State::kOpen && !paused_) {
        Handler* const before = handler_.get();
        const std::size_t used = before->on_data(*this, bytes);
        bytes = bytes.subspan(used);
        // Only a new handler may find use for what the old one left.
        if (used == 0 && handler_.get() == before) break;
    }
    delivering_ = false;
    if (state_ == State::kOpen && !bytes.empty()) left_over_.insert(0, bytes.data(), bytes.size());
}

void Connection::discard_input() {
    const auto buffer = loop_.read_buffer();
    for (int i = 0; i < kReadsPerTurn && readable_; ++i) {
        const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (n > 0) {
            discarded_ += static_cast<std::uint32_t>(n);
            if (discarded_ > set_.limits_.discard.count) {
                close_now();
                return;
            }
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            readable_ = false;
        } else if (n == 0 && state_ == State::kFlushing) {
            readable_ = false;  // it may still read our answer
            peer_ended_ = true;
        } else if (n == 0 || errno != EINTR) {
            close_now();
            return;
        }
    }
    if (readable_) loop_.at_turn_end(*this);
}

void Connection::on_turn_end() {
    if (state_ == State::kClosed) return;
    if (abort_) {
        close_now();
        return;
    }
    if (state_ == State::kOpen ? !paused_ && (readable_ || end_of_input_ || (again_ && !left_over_.empty()))
                               : readable_) {
        read_some();
    }
    if (state_ != State::kClosed) flush();
}

void Connection::flush() {
    while (!out_.empty()) {
        std::array<iovec, kSlicesPerWrite> parts;
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = out_.gather(parts);
        const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) break;
            close_now();
            return;
        }
        set_.queued_bytes_.fetch_sub(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
        out_.written(static_cast<std::size_t>(n));
        last_progress_ = loop_.now();
    }
    if (!out_.empty() && !blocked_) {
        blocked_ = true;
        set_.blocked_.push_back(this);
    }
    if (was_over_limit_ && out_.bytes() <= set_.limits_.send_buffer.count / 2) {
        was_over_limit_ = false;
        if (state_ == State::kOpen) handler_->on_drained(*this);
    }
    if (state_ == State::kFlushing && !abort_ && out_.empty()) half_close();
}

void Connection::finish() {
    if (state_ != State::kOpen) return;
    state_ = State::kFlushing;
    left_over_.clear();
    if (!blocked_) {
        blocked_ = true;
        set_.blocked_.push_back(this);
    }
    last_progress_ = loop_.now();
    loop_.at_turn_end(*this);
}

void Connection::half_close() {
    ::shutdown(fd_, SHUT_WR);
    state_ = State::kDiscarding;
    last_progress_ = loop_.now();
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
    loop_.at_turn_end(*this);
}

void Connection::close_now() {
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    loop_.unwatch(fd_, *this);
    loop_.forget_turn_end(*this);
    set_.queued_bytes_.fetch_sub(out_.bytes(), std::memory_order_relaxed);
    out_.clear();
    set_.remove(*this);
    handler_->on_closed(*this);
}

Connection::Detached Connection::detach() {
    Detached out{fd_, std::move(left_over_), {}};
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
    set_.queued_bytes_.fetch_sub(out.unsent.size(), std::memory_order_relaxed);
    state_ = State::kClosed;
    loop_.unwatch(fd_, *this);
    loop_.forget_turn_end(*this);
    fd_ = -1;
    set_.remove(*this);
    return out;
}

ConnectionSet::ConnectionSet(Loop& loop, Limits limits)
    : loop_(loop), limits_(limits), sweep_timer_(Timer::of<&ConnectionSet::sweep>(this)) {
    loop_.arm(sweep_timer_, seconds{1});
}

ConnectionSet::~ConnectionSet() { close_all(); }

Connection& ConnectionSet::open(int fd, std::unique_ptr<Connection::Handler> handler, std::string unread) {
    connections_.push_back(std::unique_ptr<Connection>{new Connection{*this, fd, std::move(handler)}});
    connections_.back()->set_index_ = connections_.size() - 1;
    count_.store(connections_.size(), std::memory_order_relaxed);
    Connection& connection = *connections_.back();
    connection.left_over_ = std::move(unread);
    if (!connection.left_over_.empty()) connection.resume_reading();
    connection.handler_->on_open(connection);
    return connection;
}

void ConnectionSet::close_all() {
    while (!connections_.empty()) connections_.back()->close_now();
}

void ConnectionSet::remove(Connection& connection) {
    if (connection.blocked_) std::erase(blocked_, &connection);
    const std::size_t index = connection.set_index_;
    std::swap(connections_[index], connections_.back());
    connections_[index]->set_index_ = index;
    loop_.bury(std::move(connections_.back()));
    connections_.pop_back();
    count_.store(connections_.size(), std::memory_order_relaxed);
}

void ConnectionSet::sweep() {
    const auto now = loop_.now();
    for (std::size_t i = blocked_.size(); i-- > 0;) {
        if (i >= blocked_.size()) continue;  // a handler closed others
        Connection& connection = *blocked_[i];
        const bool ending = connection.state_ == Connection::State::kDiscarding;
        if (!ending && connection.state_ == Connection::State::kOpen && connection.out_.empty()) {
            connection.blocked_ = false;
            blocked_[i] = blocked_.back();
            blocked_.pop_back();
            continue;
        }
        const milliseconds limit = ending ? limits_.discard_time : limits_.send_time;
        if (now - connection.last_progress_ < limit) continue;
        if (connection.state_ == Connection::State::kOpen) connection.handler_->on_stalled(connection);
        connection.close_now();
    }
    loop_.arm(sweep_timer_, seconds{1});
}

}  // namespace parley::rt
