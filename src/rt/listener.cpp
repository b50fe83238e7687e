#include "rt/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/config_keys.h"

namespace parley::rt {
namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

bool to_address(const Endpoint& endpoint, Address& out) {
    if (auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
        ::inet_pton(AF_INET, endpoint.host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        out.length = sizeof v4;
        return true;
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    if (::inet_pton(AF_INET6, endpoint.host.c_str(), &v6.sin6_addr) != 1) return false;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    out.length = sizeof v6;
    return true;
}

void set_option(int fd, int level, int option, int value) {
    // Each option is an improvement; the socket works without it.
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

enum class Share { kNo, kPort };

Result<int> bind_socket(const Endpoint& endpoint, Share share) {
    Address address;
    if (!to_address(endpoint, address)) {
        return fail(Code::kBadRequest, fmt::format("{} is not an IP address", endpoint.host));
    }
    const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(Code::kInternal, fmt::format("socket: {}", std::strerror(errno)));
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (share == Share::kPort) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
        const int error = errno;
        ::close(fd);
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), std::strerror(error)));
    }
    return fd;
}

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    // sin_port and sin6_port lie at the same place.
    return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<Endpoint> Endpoint::parse(const std::string& text) {
    auto address_text = keys::parse_address(text);
    if (!address_text) return fail(Code::kBadRequest, fmt::format("'{}': {}", text, address_text.error().message));
    Endpoint out{std::move(address_text->host), address_text->port};
    if (out.host == "localhost") out.host = "127.0.0.1";
    Address address;
    if (!to_address(out, address)) return fail(Code::kBadRequest, fmt::format("'{}' is not an IP address", out.host));
    return out;
}

bool Endpoint::is_loopback() const { return host == "::1" || host.starts_with("127."); }

std::string Endpoint::text() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> claim(const Endpoint& endpoint) {
    const auto fd = bind_socket(endpoint, Share::kNo);
    if (!fd) return fail(fd.error());
    // bind() alone lets a second process bind the same port with SO_REUSEADDR; listen() does not.
    if (::listen(*fd, 1) != 0) {
        const int error = errno;
        ::close(*fd);
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), std::strerror(error)));
    }
    Endpoint out = endpoint;
    out.port = bound_port(*fd);
    ::close(*fd);
    return out;
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Endpoint& endpoint, Accept accept) {
    const auto fd = bind_socket(endpoint, Share::kPort);
    if (!fd) return fail(fd.error());
    if (::listen(*fd, 4096) != 0) {
        const int error = errno;
        ::close(*fd);
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), std::strerror(error)));
    }
    return std::unique_ptr<Listener>{new Listener{loop, *fd, std::move(accept)}};
}

Listener::Listener(Loop& loop, int fd, Accept accept)
    : loop_(loop), fd_(fd), accept_(std::move(accept)), retry_(Timer::of<&Listener::accept_some>(this)) {
    loop_.watch(fd_, *this);
}

Listener::~Listener() {
    loop_.unwatch(fd_, *this);
    ::close(fd_);
}

void Listener::on_events(std::uint32_t) { accept_some(); }

void Listener::accept_some() {
    for (;;) {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
            accept_(fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        // Edge-triggered: after an error other than "none left" no new event comes by itself.
        if (errno != EAGAIN && errno != EWOULDBLOCK) loop_.arm(retry_, milliseconds{100});
        return;
    }
}

}  // namespace parley::rt
