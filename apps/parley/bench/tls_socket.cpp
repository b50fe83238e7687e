#include "bench/tls_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <new>

namespace parley::bench {
namespace {

SSL_CTX* client_context() {
    static SSL_CTX* const made = [] {
        SSL_CTX* const out = ::SSL_CTX_new(::TLS_client_method());
        if (out == nullptr) throw std::bad_alloc{};
        ::SSL_CTX_set_mode(
            out, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
        return out;
    }();
    return made;
}

}  // namespace

TlsSocket::TlsSocket(int fd) : session_(::SSL_new(client_context())) {
    if (session_ == nullptr || ::SSL_set_fd(session_, fd) != 1) throw std::bad_alloc{};
    ::SSL_set_connect_state(session_);
}

TlsSocket::~TlsSocket() { ::SSL_free(session_); }

ssize_t TlsSocket::judge(int result) {
    const int why = ::SSL_get_error(session_, result);
    wants_input_ = why == SSL_ERROR_WANT_READ;
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
    } else if (why != SSL_ERROR_SYSCALL || errno == 0) {
        errno = EPROTO;
    }
    return -1;
}

ssize_t TlsSocket::send(std::span<const char> bytes) {
    ::ERR_clear_error();
    std::size_t took = 0;
    const int result = ::SSL_write_ex(session_, bytes.data(), bytes.size(), &took);
    if (result != 1) return judge(result);
    wants_input_ = false;
    return static_cast<ssize_t>(took);
}

ssize_t TlsSocket::receive(std::span<char> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        ::ERR_clear_error();
        std::size_t got = 0;
        const int result = ::SSL_read_ex(session_, into.data() + filled, into.size() - filled, &got);
        if (result != 1) {
            const ssize_t verdict = judge(result);
            wants_input_ = wants_input_ && ::SSL_is_init_finished(session_) == 0;
            if (filled == 0) return verdict;
            break;
        }
        filled += got;
    }
    return static_cast<ssize_t>(filled);
}

std::uint64_t TlsSocket::sent() const noexcept { return BIO_number_written(::SSL_get_wbio(session_)); }

std::uint64_t TlsSocket::received() const noexcept { return BIO_number_read(::SSL_get_rbio(session_)); }

}  // namespace parley::bench
