#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/memory_account.h"
#include "base/units.h"
#include "wire/http_request.h"

namespace parley::wire {

struct HttpLimits {
    Bytes head = 16_KiB;  ///< request line and fields; the trailer section has the same
    Bytes body = 1_MiB;   ///< content after de-chunking; may be set again per request at kHead
    std::size_t headers = 100;
};

/// Why a request was refused. `text` is fixed English and holds nothing the client sent.
struct HttpFault {
    int status = 400;  ///< 400, 413, 414, 417, 431, 501 or 505
    std::string_view text;
};

enum class HttpStep : std::uint8_t {
    kNeedMore,  ///< every byte was consumed
    kHead,      ///< the head is complete and a body follows: look at request(), then feed() the rest
    kDone,      ///< request() is complete; bytes after `consumed` belong to the next one
    kFault,     ///< fault() says why; answer, close, and feed nothing more
};

/// Reads HTTP/1.x requests from a byte stream, strictly by RFC 9112, however the stream is cut.
/// Thread: one at a time; no IO. Owns: a copy of what it read of the current request.
/// Order:  feed() until kDone, take the request, reset(), feed() what was left (pipelining).
/// Limit:  memory is bounded by HttpLimits; a byte that cannot belong to a valid head is refused
///         when it arrives, without waiting for the end of the line.
/// Fails:  with a fault, after which only reset() is legal, and only for another connection.
class HttpRequestParser {
public:
    struct Progress {
        HttpStep step = HttpStep::kNeedMore;
        std::size_t consumed = 0;
    };

    explicit HttpRequestParser(HttpLimits limits = {}) noexcept : limits_(limits) {}
    Progress feed(std::string_view bytes);
    /// At kHead: the limit for this request's body. reset() brings the default back.
    void set_body_limit(Bytes limit) noexcept { body_limit_ = limit; }
    [[nodiscard]] const HttpRequest& request() const noexcept { return request_; }
    [[nodiscard]] HttpRequest take_request() noexcept {
        held_ = {memory::Use::kInput, 0};
        return std::move(request_);
    }
    [[nodiscard]] const HttpFault& fault() const noexcept { return fault_; }
    /// Whether nothing of a request has arrived: a connection may be closed here without an answer.
    [[nodiscard]] bool idle() const noexcept { return state_ == State::kRequestLine && section_bytes_ == 0; }
    void reset();

private:
    enum class State : std::uint8_t {
        kRequestLine,
        kHeaders,
        kHeadReported,
        kLengthBody,
        kChunkSize,
        kChunkData,
        kChunkEnd,
        kTrailers,
        kDone,
        kFault,
    };

    bool read_line(std::string_view bytes, std::size_t& at);
    void take_special(char c);
    [[nodiscard]] bool may_start_line(char c) noexcept;
    bool take_method_byte(char c) noexcept;
    [[nodiscard]] std::size_t section_limit() const noexcept;
    void refuse_long_section() noexcept;
    void on_line();
    void on_request_line();
    void on_target();
    void on_field_line();
    void on_head_end();
    [[nodiscard]] bool read_host();
    [[nodiscard]] bool read_framing();
    [[nodiscard]] bool read_transfer_encoding();
    [[nodiscard]] bool read_expect();
    void on_chunk_size();
    void read_body(std::string_view bytes, std::size_t& at);
    /// Always false, so that a check may end with `return refuse(…)`.
    bool refuse(int status, std::string_view text) noexcept;

    HttpLimits limits_;
    Bytes body_limit_ = limits_.body;
    State state_ = State::kRequestLine;
    HttpRequest request_;
    HttpFault fault_;
    std::string line_;          // without CR LF
    bool cr_seen_ = false;      // the last byte read was CR
    bool method_read_ = false;  // the request line's first space has come
    bool absolute_ = false;
    bool chunked_ = false;
    std::size_t section_bytes_ = 0;  // of the head, of the trailers, or of one chunk's line
    std::size_t extension_bytes_ = 0;
    std::size_t fields_ = 0;
    std::uint64_t remaining_ = 0;  // of the body or of the current chunk
    memory::Charge held_{memory::Use::kInput, 0};
};

}  // namespace parley::wire
