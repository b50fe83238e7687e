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

std::string Line::open(const sockaddr_storage& address, socklen_t size, int receive_buffer) {
    fd_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fmt::format("no socket: {}", std::strerror(errno));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno != EINPROGRESS) {
        return fmt::format("cannot connect: {}", std::strerror(errno));
    }
    connecting_ = true;
    epoll_event event{};
    event.events = watched_ = EPOLLIN | EPOLLOUT;
    event.data.u64 = tag_;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) return fmt::format("epoll: {}", std::strerror(errno));
    return {};
}

void Line::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    connecting_ = false;
    written_ = 0;
    in_.clear();
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
        const ssize_t took = ::send(fd_, out.data() + written_, out.size() - written_, MSG_NOSIGNAL);
        if (took < 0 && (errno == EAGAIN || errno == EINTR)) return {};
        if (took < 0) return fmt::format("sending: {}", std::strerror(errno));
        written_ += static_cast<std::size_t>(took);
        sent += static_cast<std::size_t>(took);
    }
    out.clear();
    written_ = 0;
    return {};
}

void Line::watch(bool reading) {
    const bool writing = connecting_ || written_ < out.size();
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
    const ssize_t got = ::recv(fd_, scratch.data() + in_.size(), limit, 0);
    Read read;
    if (got > 0) {
        read.got = static_cast<std::size_t>(got);
        read.bytes = {scratch.data(), in_.size() + read.got};
        received += read.got;
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
