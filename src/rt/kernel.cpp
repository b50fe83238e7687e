#include "rt/kernel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "rt/system_kernel.h"

namespace parley::rt {

SystemKernel::SystemKernel() : epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_fd_ >= 0) return;
    std::perror("epoll_create1");
    std::abort();
}

SystemKernel::~SystemKernel() { ::close(epoll_fd_); }

std::size_t SystemKernel::wait(std::span<epoll_event> events, int milliseconds) {
    const int count = ::epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), milliseconds);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

int SystemKernel::watch(int fd, std::uint32_t events, void* tag) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = tag;
    return ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void SystemKernel::unwatch(int fd) noexcept { ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

ssize_t SystemKernel::receive(int fd, std::span<char> into) {
    for (;;) {
        const ssize_t n = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

void SystemKernel::write(std::span<Write> batch) {
    for (Write& entry : batch) {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(entry.parts);
        message.msg_iovlen = entry.count;
        do {
            entry.result = ::sendmsg(entry.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (entry.result < 0 && errno == EINTR);
        if (entry.result < 0) entry.result = -errno;
    }
}

void SystemKernel::end_output(int fd) noexcept { ::shutdown(fd, SHUT_WR); }

void SystemKernel::close(int fd) noexcept { ::close(fd); }

Result<KernelChoice> make_kernel(FlushKind kind) {
    if (kind == FlushKind::kWritev) return KernelChoice{std::make_unique<SystemKernel>(), {}};
    auto uring = make_uring_kernel();
    if (uring) return KernelChoice{std::move(*uring), {}};
    if (kind == FlushKind::kIoUring) return fail(uring.error());
    return KernelChoice{std::make_unique<SystemKernel>(), uring.error().message};
}

}  // namespace parley::rt
