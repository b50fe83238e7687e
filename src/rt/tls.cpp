#include "rt/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace parley::rt {

/// Where OpenSSL reads and writes: the bytes that open() was given, and the sealed queue.
struct TlsBio {
    static Tls& owner(BIO* bio) { return *static_cast<Tls*>(::BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, std::size_t room, std::size_t* count) {
        ::BIO_clear_retry_flags(bio);
        auto& arrived = owner(bio).arrived_;
        *count = std::min(room, arrived.size());
        if (*count == 0) {
            ::BIO_set_retry_read(bio);
            return 0;
        }
        std::memcpy(into, arrived.data(), *count);
        arrived = arrived.subspan(*count);
        return 1;
    }
    static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
        owner(bio).sealed_.push_copy({bytes, size});
        *count = size;
        return 1;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* const out = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "parley connection");
            if (out == nullptr) throw std::bad_alloc{};
            ::BIO_meth_set_read_ex(out, read);
            ::BIO_meth_set_write_ex(out, write);
            ::BIO_meth_set_ctrl(out, control);
            return out;
        }();
        return made;
    }
};

Tls::Tls(const TlsContext& context) : session_(::SSL_new(context.native())) {
    BIO* const bio = session_ == nullptr ? nullptr : ::BIO_new(TlsBio::method());
    if (bio == nullptr) {
        ::SSL_free(session_);
        throw std::bad_alloc{};
    }
    ::BIO_set_data(bio, this);
    ::BIO_set_init(bio, 1);
    ::SSL_set_bio(session_, bio, bio);
    ::SSL_set_accept_state(session_);
}

Tls::~Tls() { ::SSL_free(session_); }

Tls::Step Tls::judge(int result) {
    switch (::SSL_get_error(session_, result)) {
        case SSL_ERROR_WANT_READ: return Step::kMore;
        case SSL_ERROR_ZERO_RETURN: peer_has_ended_ = true; return Step::kEnded;
        default: break;
    }
    failed_ = true;
    problem_ = ::ERR_reason_error_string(::ERR_peek_error());
    ::ERR_clear_error();
    return Step::kFailed;
}

Tls::Opened Tls::open(std::span<char>& arrived, std::span<char> into) {
    if (failed_) return {0, Step::kFailed};
    has_begun_ |= !arrived.empty();
    arrived_ = arrived;
    ::ERR_clear_error();
    std::size_t bytes = 0;
    const int result = ::SSL_read_ex(session_, into.data(), into.size(), &bytes);
    arrived = std::exchange(arrived_, {});
    is_established_ |= ::SSL_is_init_finished(session_) == 1;
    return result == 1 ? Opened{bytes, Step::kMore} : Opened{0, judge(result)};
}

bool Tls::seal(OutQueue& plain, std::span<char> scratch) {
    if (plain.empty() || !is_open()) return true;
    std::array<iovec, 64> parts;
    const std::size_t count = plain.gather(parts);
    const char* bytes = static_cast<const char*>(parts[0].iov_base);
    std::size_t size = std::min(parts[0].iov_len, kRecord);
    if (count > 1 && size < kRecord) {
        // A turn's messages are one record: what is around a record costs as much as a short message.
        std::size_t filled = 0;
        for (const iovec& part : std::span{parts}.first(count)) {
            const std::size_t some = std::min(part.iov_len, kRecord - filled);
            std::memcpy(scratch.data() + filled, part.iov_base, some);
            filled += some;
        }
        bytes = scratch.data();
        size = filled;
    }
    ::ERR_clear_error();
    std::size_t sealed = 0;
    const int result = ::SSL_write_ex(session_, bytes, size, &sealed);
    if (result != 1) {
        judge(result);
        failed_ = true;  // it has no reason to wait for anything
        return false;
    }
    plain.written(sealed);
    return true;
}

void Tls::end() {
    if (std::exchange(has_ended_, true) || !is_open()) return;
    ::ERR_clear_error();
    (void)::SSL_shutdown(session_);
}

}  // namespace parley::rt
