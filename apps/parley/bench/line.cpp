#include "bench/line.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace parley::bench {

std::string Line::open(const sockaddr_storage& address, socklen_t size, int receive_buffer, Wire wire) {
    fd_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fmt::format("no socket: {}", std::strerror(errno));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno != EINPROGRESS) {
        return fmt::format("cannot connect: {}", std::strerror(errno));
    }
    connecting_ = true;
    if (wire == Wire::kTls) {
        tls_ = std::make_unique<TlsSocket>(fd_);
        sent_before_ = sent;
        received_before_ = received;
    }
    epoll_event event{};
    event.events = watched_ = EPOLLIN | EPOLLOUT;
    event.data.u64 = tag_;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) return fmt::format("epoll: {}", std::strerror(errno));
    return {};
}

void Line::close() {
    tls_.reset();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    connecting_ = false;
    written_ = 0;
    in_.clear();
}

void Line::acknowledge_what_is_read() {
    acknowledging_ = true;
    acknowledge();
}

void Line::acknowledge() const {
    // An even number acknowledges what waits for it; 0 lets what comes wait again.
    for (const int how : {2, 0}) ::setsockopt(fd_, IPPROTO_TCP, TCP_QUICKACK, &how, sizeof how);
}

std::string Line::on_writable() {
    if (connecting_) {
        int problem = 0;
        socklen_t size = sizeof problem;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size);
        if (problem != 0) return fmt::format("cannot connect: {}", std::strerror(problem));
        connecting_ = false;
    }
    return flush();
}

std::string Line::flush() {
    if (fd_ < 0 || connecting_ || out.empty()) return {};
    while (written_ < out.size()) {
        const std::span left{out.data() + written_, out.size() - written_};
        const ssize_t took = tls_ ? tls_->send(left) : ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
        if (tls_) sent = sent_before_ + tls_->sent();
        if (took < 0 && (errno == EAGAIN || errno == EINTR)) return {};
        if (took < 0) return fmt::format("sending: {}", std::strerror(errno));
        written_ += static_cast<std::size_t>(took);
        if (!tls_) sent += static_cast<std::size_t>(took);
    }
    out.clear();
    written_ = 0;
    return {};
}

void Line::watch(bool reading) {
    const bool waits_for_input = tls_ && tls_->wants_input();
    const bool writing = connecting_ || (written_ < out.size() && !waits_for_input);
    reading |= waits_for_input;
    const std::uint32_t wanted =
        (reading ? static_cast<std::uint32_t>(EPOLLIN) : 0U) | (writing ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    if (fd_ < 0 || watched_ == wanted) return;
    watched_ = wanted;
    epoll_event change{};
    change.events = wanted;
    change.data.u64 = tag_;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &change);
}

Line::Read Line::read(std::vector<char>& scratch, std::size_t limit) {
    // What is left of the frame before goes in front, so that a frame is always in one piece.
    if (scratch.size() < in_.size() + limit) scratch.resize(in_.size() + limit);
    std::copy(in_.begin(), in_.end(), scratch.begin());
    const std::span room{scratch.data() + in_.size(), limit};
    const ssize_t got = tls_ ? tls_->receive(room) : ::recv(fd_, room.data(), room.size(), 0);
    if (tls_) received = received_before_ + tls_->received();
    Read read;
    if (got > 0) {
        read.got = static_cast<std::size_t>(got);
        read.bytes = {scratch.data(), in_.size() + read.got};
        if (!tls_) received += read.got;
        if (acknowledging_) acknowledge();
    } else if (got == 0) {
        read.closed = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        read.problem = std::strerror(errno);
    }
    return read;
}

void Line::keep(std::span<const char> rest) {
    in_.assign(rest.data(), rest.size());
    if (in_.empty() && in_.capacity() > kKeptCapacity) in_.shrink_to_fit();
}

}  // namespace parley::bench
