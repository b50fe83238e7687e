#include "rt/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace parley::rt {
namespace {

/// Faster than their requests are read: the kernel drops whom its queue has no room for.
constexpr int kAcceptsAtOnce = 4;
/// The kernel takes no more than net.core.somaxconn.
constexpr int kBacklog = 65'535;
/// A peer that does not read has that much of unsent bytes in the kernel, not the megabytes that autotuning allows.
constexpr int kUnsentInKernel = 128 * 1024;

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

bool to_address(const Endpoint& endpoint, Address& out) {
    if (endpoint.is_unix()) {
        auto& to = reinterpret_cast<sockaddr_un&>(out.storage);
        if (endpoint.path.size() >= sizeof to.sun_path) return false;
        to.sun_family = AF_UNIX;
        endpoint.path.copy(to.sun_path, endpoint.path.size());
        out.length = sizeof to;
        return true;
    }
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

Result<int> bind_socket(const Endpoint& endpoint, Listener::Port port) {
    Address address;
    if (!to_address(endpoint, address)) {
        return fail(Code::kBadRequest, endpoint.is_unix() ? fmt::format("{}: the path is too long", endpoint.text())
                                                          : fmt::format("{} is not an IP address", endpoint.host));
    }
    const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(Code::kInternal, fmt::format("socket: {}", std::strerror(errno)));
    if (endpoint.is_unix()) {
        (void)::fchmod(fd, endpoint.mode);  // what the file begins with, so that nobody else comes in before chmod
    } else {
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (port == Listener::Port::kShared) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
        const int error = errno;
        ::close(fd);
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), std::strerror(error)));
    }
    if (endpoint.is_unix()) (void)::chmod(endpoint.path.c_str(), endpoint.mode);  // which the umask had narrowed
    return fd;
}

/// The file of a socket stays when its server dies. Error: somebody listens there, or it is something else.
Result<> remove_left_behind(const Endpoint& endpoint) {
    const auto refuse = [&](const char* why) {
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), why));
    };
    struct stat file {};
    if (::lstat(endpoint.path.c_str(), &file) != 0) return {};
    if (!S_ISSOCK(file.st_mode)) return refuse("the file is there and is no socket");
    Address address;
    if (!to_address(endpoint, address)) return {};  // said when it is bound
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse(std::strerror(errno));
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0;
    const int error = errno;
    ::close(fd);
    if (connected || error == EAGAIN) return refuse("another process listens there");
    if (error != ECONNREFUSED) return refuse(std::strerror(error));
    if (::unlink(endpoint.path.c_str()) != 0) return refuse(std::strerror(errno));
    return {};
}

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    // sin_port and sin6_port lie at the same place.
    return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<Endpoint> Endpoint::of(std::string host, std::uint16_t port) {
    Endpoint out{std::move(host), port};
    if (out.host == "localhost") out.host = "127.0.0.1";
    Address address;
    if (!to_address(out, address)) return fail(Code::kBadRequest, fmt::format("'{}' is not an IP address", out.host));
    return out;
}

bool Endpoint::is_loopback() const { return host == "::1" || host.starts_with("127."); }

std::string Endpoint::text() const {
    if (is_unix()) return "unix:" + path;
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> claim(const Endpoint& endpoint) {
    if (endpoint.is_unix()) {
        if (auto removed = remove_left_behind(endpoint); !removed) return fail(removed.error());
        return endpoint;
    }
    const auto fd = bind_socket(endpoint, Listener::Port::kAlone);
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

std::optional<std::string> why_no_shared_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return std::strerror(errno);
    const int on = 1;
    const int error = ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 ? 0 : errno;
    ::close(fd);
    if (error == 0) return std::nullopt;
    return fmt::format("SO_REUSEPORT: {}", std::strerror(error));
}

void give_up_after(int fd, milliseconds time) noexcept {
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(time.count()));
}

void turn_away(int fd, std::string_view answer) noexcept {
    (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(fd, SHUT_WR);
    // What is not read when it is closed would become a reset, and take the answer with it.
    std::array<char, 16 * 1024> request;
    while (::recv(fd, request.data(), request.size(), MSG_DONTWAIT) > 0) {
    }
    ::close(fd);
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Endpoint& endpoint, Accept accept, std::string busy,
                                                 Port port) {
    const auto fd = bind_socket(endpoint, port);
    if (!fd) return fail(fd.error());
    if (::listen(*fd, kBacklog) != 0) {
        const int error = errno;
        ::close(*fd);
        return fail(Code::kInternal, fmt::format("cannot listen on {}: {}", endpoint.text(), std::strerror(error)));
    }
    return std::unique_ptr<Listener>{new Listener{loop, *fd, endpoint.path, std::move(accept), std::move(busy)}};
}

Listener::Listener(Loop& loop, int fd, std::string path, Accept accept, std::string busy)
    : loop_(loop),
      fd_(fd),
      path_(std::move(path)),
      spare_(open_spare()),
      accept_(std::move(accept)),
      busy_(std::move(busy)),
      retry_(Timer::of<&Listener::ask>(this)) {
    loop_.watch(fd_, *this);
}

Listener::~Listener() {
    if (waits_) loop_.newcomers().forget(*this);
    loop_.unwatch(fd_, *this);
    ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
    if (spare_ >= 0) ::close(spare_);
}

void Listener::ask() {
    if (!std::exchange(waits_, true)) loop_.newcomers().ask(*this);
}

void Listener::on_welcome() {
    waits_ = false;
    accept_some();
}

void Listener::accept_some() {
    if (spare_ < 0) spare_ = open_spare();
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (path_.empty()) {
                set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
                set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentInKernel);
            }
            accept_(fd);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if ((errno == EMFILE || errno == ENFILE) && turn_away()) continue;
        // Edge-triggered: after an error other than "none left" no new event comes by itself.
        loop_.arm(retry_, milliseconds{100});
        return;
    }
    ask();
}

bool Listener::turn_away() {
    if (spare_ < 0) return false;
    ::close(spare_);
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) rt::turn_away(fd, busy_);
    spare_ = open_spare();
    return fd >= 0;
}

}  // namespace parley::rt
