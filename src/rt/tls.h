#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "rt/out_queue.h"
#include "rt/tls_context.h"

struct ssl_st;

namespace parley::rt {

/// The TLS of one connection, as its server: opens what has arrived and seals what is to leave. It does no IO.
///
/// Thread: core-local; it may go to another loop with its connection.
/// Owns:   the sealed bytes that the socket has not taken.
/// Order:  bytes leave in the order they were sealed.
/// Memory: OpenSSL's session; a record's buffers exist only while one is on its way.
/// Fails:  kFailed once. Nothing is opened or sealed after it, and what is sealed() ends with the alert for the peer.
class Tls {
public:
    /// What one record holds at most, and what seal() works ahead of the socket.
    static constexpr std::size_t kRecord = 16 * 1024;

    explicit Tls(const TlsContext& context);
    ~Tls();
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    enum class Step : std::uint8_t { kMore, kEnded, kFailed };
    struct Opened {
        std::size_t bytes;  ///< while there are some, call again
        Step step;          ///< kEnded: the peer said that it will send no more
    };
    /// Takes bytes from the front of `arrived` and opens them into `into`, which has room for a record.
    Opened open(std::span<char>& arrived, std::span<char> into);
    /// Moves up to a record from `plain` to sealed(), through `scratch` of that size. False: it failed.
    bool seal(OutQueue& plain, std::span<char> scratch);
    /// Tells the peer that nothing more will be sent. Once.
    void end();

    /// Something has arrived from the peer.
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
    [[nodiscard]] bool is_established() const noexcept { return is_established_; }
    [[nodiscard]] bool is_open() const noexcept { return is_established_ && !failed_; }
    [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
    [[nodiscard]] bool peer_has_ended() const noexcept { return peer_has_ended_; }
    [[nodiscard]] OutQueue& sealed() noexcept { return sealed_; }
    /// What made it fail.
    [[nodiscard]] std::string problem() const { return problem_ == nullptr ? "" : problem_; }

private:
    friend struct TlsBio;
    Step judge(int result);

    ssl_st* session_;
    std::span<char> arrived_;  ///< while open() runs
    OutQueue sealed_;
    const char* problem_ = nullptr;
    bool has_begun_ = false;
    bool is_established_ = false;
    bool failed_ = false;
    bool has_ended_ = false;
    bool peer_has_ended_ = false;
};

}  // namespace parley::rt
