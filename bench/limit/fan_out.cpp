#include "fan_out.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <thread>

namespace parley::limit {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::string_view kJoined = "ok\n";

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(2);
}

}  // namespace

Worker::Worker() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    watch(wake_, EPOLLIN, EPOLL_CTL_ADD);
}

Worker::~Worker() {
    ::close(wake_);
    ::close(epoll_);
}

void Worker::watch(int fd, std::uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
}

void Worker::adopt(int fd, std::uint32_t room) {
    {
        const std::lock_guard lock{mutex_};
        new_.push_back({fd, room, {}});
    }
    ::eventfd_write(wake_, 1);
}

void Worker::take_new() {
    eventfd_t ignored = 0;
    ::eventfd_read(wake_, &ignored);
    const std::lock_guard lock{mutex_};
    for (Member& member : new_) {
        const auto place = static_cast<std::size_t>(member.fd);
        if (members_.size() <= place) members_.resize(place + 1);
        Room& room = rooms_[member.room];
        room.gathered.resize(kReadSize);
        room.fds.push_back(member.fd);
        output_->added(member.fd);
        watch(member.fd, EPOLLIN, EPOLL_CTL_ADD);
        if (::send(member.fd, kJoined.data(), kJoined.size(), MSG_NOSIGNAL) < 0) std::perror("send");
        members_[place] = std::move(member);
    }
    new_.clear();
}

void Worker::run() {
    output_ = make_output();
    std::array<epoll_event, 1024> events{};
    for (;;) {
        const int found = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
        for (const epoll_event& event : std::span{events}.first(static_cast<std::size_t>(found < 0 ? 0 : found))) {
            if (event.data.fd == wake_) {
                take_new();
                continue;
            }
            Member& member = members_[static_cast<std::size_t>(event.data.fd)];
            if ((event.events & EPOLLOUT) != 0) write_late(member);
            if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(member);
        }
        flush();
    }
}

void Worker::read(Member& member) {
    Room& room = rooms_[member.room];
    if (room.gathered.size() - room.size < kReadSize / 2) room.gathered.resize(room.gathered.size() * 2);
    const ssize_t got = ::recv(member.fd, room.gathered.data() + room.size, room.gathered.size() - room.size, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) remove(member);
        return;
    }
    room.size += static_cast<std::size_t>(got);
    if (room.dirty) return;
    room.dirty = true;
    dirty_.push_back(&room);
}

void Worker::flush() {
    if (dirty_.empty()) return;
    static thread_local std::vector<Output::Short> shorts;
    shorts.clear();
    for (Room* room : dirty_) {
        const std::string_view bytes{room->gathered.data(), room->size};
        if (room->late == 0) {
            output_->queue(room->fds, bytes);
            continue;
        }
        // Rare: some members are behind, and theirs goes behind what waits.
        static thread_local std::vector<int> ready;
        ready.clear();
        for (const int fd : room->fds) {
            Member& member = members_[static_cast<std::size_t>(fd)];
            if (member.late.empty()) {
                ready.push_back(fd);
            } else {
                member.late += bytes;
            }
        }
        output_->queue(ready, bytes);
    }
    output_->finish(shorts);
    for (const auto& [fd, missing] : shorts) {
        Member& member = members_[static_cast<std::size_t>(fd)];
        const Room& room = rooms_[member.room];
        keep(member, {room.gathered.data() + room.size - missing, missing});
    }
    for (Room* room : dirty_) {
        room->size = 0;
        room->dirty = false;
    }
    dirty_.clear();
}

void Worker::keep(Member& member, std::string_view bytes) {
    ++rooms_[member.room].late;
    member.late = bytes;
    watch(member.fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

void Worker::write_late(Member& member) {
    const ssize_t sent = ::send(member.fd, member.late.data(), member.late.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    member.late.erase(0, static_cast<std::size_t>(sent));
    if (!member.late.empty()) return;
    --rooms_[member.room].late;
    watch(member.fd, EPOLLIN, EPOLL_CTL_MOD);
}

void Worker::remove(Member& member) {
    Room& room = rooms_[member.room];
    if (!member.late.empty()) --room.late;
    member.late.clear();
    std::erase(room.fds, member.fd);
    output_->removing(member.fd);
    ::close(member.fd);
    member.fd = -1;
}

namespace {

int listen_on(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (colon == std::string::npos ||
        ::getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) {
        std::fprintf(stderr, "--listen HOST:PORT\n");
        std::exit(2);
    }
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, 4096) != 0) die("listen");
    ::freeaddrinfo(found);
    return fd;
}

int port_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    char port[16];
    ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, port, sizeof port, NI_NUMERICSERV);
    return std::atoi(port);
}

/// `room N\n`, which the client sends first. False: something else, or nothing for half a minute.
bool read_room(int fd, std::uint32_t& room) {
    const timeval wait{30, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    std::string line;
    for (char byte = 0; line.size() < 32 && ::recv(fd, &byte, 1, 0) == 1;) {
        if (byte == '\n') break;
        line += byte;
    }
    constexpr std::string_view kRoom = "room ";
    if (!line.starts_with(kRoom)) return false;
    return std::from_chars(line.data() + kRoom.size(), line.data() + line.size(), room).ec == std::errc{};
}

}  // namespace

int serve(int argc, char** argv) {
    std::string address = "127.0.0.1:0";
    std::size_t threads = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--listen") == 0) address = argv[i + 1];
        if (std::strcmp(argv[i], "--threads") == 0)
            threads = static_cast<std::size_t>(std::max(1, std::atoi(argv[i + 1])));
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);

    const int listener = listen_on(address);
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t i = 0; i < threads; ++i) {
        workers.push_back(std::make_unique<Worker>());
        std::thread{[&worker = *workers.back()] { worker.run(); }}.detach();
    }
    std::printf("limit ready %s:%d\n", address.substr(0, address.rfind(':')).c_str(), port_of(listener));
    std::fflush(stdout);
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED || errno == EMFILE) continue;
            die("accept");
        }
        std::uint32_t room = 0;
        if (!read_room(fd, room)) {
            ::close(fd);
            continue;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::ioctl(fd, FIONBIO, &on);
        workers[room % threads]->adopt(fd, room);
    }
}

}  // namespace parley::limit
