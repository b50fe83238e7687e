#include "rt/connect.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/ip.h"

namespace parley::rt {
namespace {

constexpr int kIdleSeconds = 15;
constexpr int kProbeSeconds = 5;
constexpr int kProbes = 3;
constexpr milliseconds kUnheard{30'000};

void set_option(int fd, int level, int option, int value) {
    // Each option is an improvement; the socket works without it.
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

Result<int> begin_connect(const Endpoint& to) {
    const auto ip = IpAddress::parse(to.host);
    if (!ip || to.port == 0) return fail(Code::kBadRequest, fmt::format("{} is no address", to.text()));
    sockaddr_storage address{};
    socklen_t length = sizeof(sockaddr_in6);
    if (ip->is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(address);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(to.port);
        std::memcpy(&v4.sin_addr, ip->bytes.data() + 12, 4);
        length = sizeof v4;
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(to.port);
        std::memcpy(&v6.sin6_addr, ip->bytes.data(), ip->bytes.size());
    }
    const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(Code::kInternal, fmt::format("socket: {}", std::strerror(errno)));
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kIdleSeconds);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
    give_up_after(fd, kUnheard);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 && errno != EINPROGRESS) {
        const int error = errno;
        ::close(fd);
        return fail(Code::kInternal, fmt::format("connect to {}: {}", to.text(), std::strerror(error)));
    }
    return fd;
}

}  // namespace parley::rt
