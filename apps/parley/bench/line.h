#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/tls_socket.h"

namespace parley::bench {

/// One socket of a client on the run's epoll: input that is not whole yet, output that has not left yet.
///
/// Thread: one. Owns the socket; the epoll outlives it.
/// Order:  bytes leave as they were appended to `out`.
/// Fails:  what goes wrong is returned as words for the user; it is of no use then.
class Line {
public:
    /// `tag` is what epoll gives back.
    Line(int epoll, std::uint64_t tag) : epoll_(epoll), tag_(tag) {}
    ~Line() { close(); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    [[nodiscard]] bool is_closed() const noexcept { return fd_ < 0; }
    enum class Wire : std::uint8_t { kPlain, kTls };
    /// Begins to connect. `receive_buffer` 0: the kernel's own.
    [[nodiscard]] std::string open(const sockaddr_storage& address, socklen_t size, int receive_buffer, Wire wire);
    void close();

    /// epoll says that it can be written: connects in full, and goes on.
    [[nodiscard]] std::string on_writable();
    /// Sends what there is, once it is connected.
    [[nodiscard]] std::string flush();
    /// Tells epoll what is waited for.
    void watch(bool reading);
    /// From now on TCP acknowledges what was read when it is read, neither as it arrives nor some segments later: on a
    /// loopback both would be done inside the server's write, as its work, and the kernel changes from one to the
    /// other.
    void acknowledge_what_is_read();

    struct Read {
        std::span<const char> bytes;  ///< in `scratch`: what was kept, then what has come
        std::size_t got = 0;          ///< what has come; 0: nothing
        bool closed = false;          ///< by the other side
        std::string problem;
    };
    /// At most `limit` bytes more.
    [[nodiscard]] Read read(std::vector<char>& scratch, std::size_t limit);
    /// `rest` is not whole yet: the next read has it in front.
    void keep(std::span<const char> rest);

    std::string out;
    std::uint64_t sent = 0;      ///< bytes on the wire, of all its sockets
    std::uint64_t received = 0;  ///< the same

    void free_spare() {
        if (out.capacity() > kKeptCapacity) out.shrink_to_fit();
    }

private:
    static constexpr std::size_t kKeptCapacity = 4096;
    void acknowledge() const;

    const int epoll_;
    const std::uint64_t tag_;
    int fd_ = -1;
    std::unique_ptr<TlsSocket> tls_;  ///< null on a plain one
    std::uint64_t sent_before_ = 0;   ///< by the sockets before this one, where it is TLS
    std::uint64_t received_before_ = 0;
    bool connecting_ = false;
    bool acknowledging_ = false;  ///< itself, at each read
    std::uint32_t watched_ = 0;
    std::size_t written_ = 0;  ///< of `out`
    std::string in_;
};

}  // namespace parley::bench
