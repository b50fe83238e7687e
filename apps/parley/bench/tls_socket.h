#pragma once
#include <sys/types.h>

#include <cstdint>
#include <span>

struct ssl_st;

namespace parley::bench {

/// TLS over a connected socket, as a client that trusts every certificate: what is measured is the server, not who it
/// is. Thread: one. Borrows the descriptor. Fails as recv and send do: -1 with errno, EPROTO for what is no TLS.
class TlsSocket {
public:
    explicit TlsSocket(int fd);
    ~TlsSocket();
    TlsSocket(const TlsSocket&) = delete;
    TlsSocket& operator=(const TlsSocket&) = delete;

    ssize_t send(std::span<const char> bytes);
    /// As much as there is and fits.
    ssize_t receive(std::span<char> into);
    /// send() goes on when something has come: the handshake is under way.
    [[nodiscard]] bool wants_input() const noexcept { return wants_input_; }
    /// On the wire, both ways.
    [[nodiscard]] std::uint64_t sent() const noexcept;
    [[nodiscard]] std::uint64_t received() const noexcept;

private:
    ssize_t judge(int result);
    ssl_st* session_;
    bool wants_input_ = false;
};

}  // namespace parley::bench
