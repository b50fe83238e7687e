#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "wire/flow.h"
#include "wire/stomp.h"

namespace parley::wire {

/// One frame of a client. Every view lives until the handler returns.
struct StompFrame {
    StompCommand command{};
    std::span<const StompHeader> headers;  ///< unescaped, in the order sent, repeated ones included
    std::string_view body;

    /// The first header of that name: a repeated one does not count (STOMP 1.2).
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// Why the session ends with an ERROR frame.
struct StompFault {
    enum class Kind : std::uint8_t {
        kProtocol,
        kTooLarge,  ///< after the ERROR close with 1009
    };
    Kind kind = Kind::kProtocol;
    std::string_view message;               ///< a constant, for ERROR's `message`
    std::optional<std::string> receipt_id;  ///< of the refused frame, when its `receipt` had arrived
};

/// What one feed() did. Bytes after `consumed` belong to the next feed().
struct StompFed {
    std::size_t consumed = 0;
    std::optional<StompFault> fault;
};

struct StompLimits {
    Bytes max_frame = 128_KiB;        ///< command, headers, body and NUL; below 1 GiB
    Bytes max_header_block = 16_KiB;  ///< command and headers
    std::size_t max_headers = 128;    ///< never more than 128
};

/// The server's side of STOMP 1.0, 1.1 and 1.2: a client's bytes to frames.
/// Thread: one core. Owns: the part of a frame that has arrived (heap only while there is one).
/// Order: events come in the order of the bytes, and the same ones however the bytes are cut.
/// Fails: with a StompFault at the first byte that makes the frame impossible, without waiting for
/// its NUL; then it swallows whatever else arrives.
/// Lines may end in CR LF in every version. A CONNECT is read by the rules it asks for: never
/// unescaped. Only SEND may have a body in 1.1 and 1.2; elsewhere one is passed on.
class StompDecoder {
public:
    /// A handler must not destroy or feed the decoder; it may call set_version().
    class Handler {
    public:
        virtual ~Handler() = default;
        /// kPause: feed() returns after this frame.
        virtual Flow on_frame(const StompFrame& frame) = 0;
        /// For each end of line between frames.
        virtual void on_heartbeat() = 0;
    };

    explicit StompDecoder(StompLimits limits = {}, StompVersion version = StompVersion::k12) noexcept;

    /// From the next frame on: what the answer to CONNECT agreed.
    void set_version(StompVersion version) noexcept { version_ = version; }
    [[nodiscard]] StompVersion version() const noexcept { return version_; }

    /// A frame that is whole in `bytes` is passed without a copy.
    [[nodiscard]] StompFed feed(std::string_view bytes, Handler& handler);
    /// Whether part of a frame is waiting for the rest.
    [[nodiscard]] bool in_frame() const noexcept { return !partial_.empty(); }

private:
    enum class Phase : std::uint8_t { kBetween, kCommand, kHeaders, kBody };
    enum class Step : std::uint8_t {
        kNext,  ///< go on with the next phase
        kNeedsBytes,
        kWhole,  ///< an end of line or a frame, ending at at_
        kFault,
    };

    Step advance(std::string_view frame);
    Step scan_between(std::string_view frame);
    Step scan_command(std::string_view frame);
    Step scan_headers(std::string_view frame);
    Step end_header_line(std::string_view frame, std::size_t line_end, std::size_t next);
    Step end_header_block(std::size_t next);
    Step scan_body(std::string_view frame);
    Step starved(std::size_t end);
    Step refuse(StompFault::Kind kind, std::string_view message) noexcept;
    StompFed die(std::string_view frame, std::size_t consumed);
    Flow deliver(std::string_view frame, Handler& handler);
    void begin_frame() noexcept;

    [[nodiscard]] bool is_connect() const noexcept {
        return command_ == StompCommand::kConnect || command_ == StompCommand::kStomp;
    }
    [[nodiscard]] bool has_escapes() const noexcept { return version_ != StompVersion::k10 && !is_connect(); }
    /// 1.0 trims headers; before CONNECT is read its version is not known.
    [[nodiscard]] bool keeps_spaces() const noexcept { return version_ != StompVersion::k10 && !is_connect(); }
    [[nodiscard]] bool may_have_body() const noexcept {
        return command_ == StompCommand::kSend || is_connect() || version_ == StompVersion::k10;
    }

    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

    std::string partial_;       ///< the frame so far, when feed() ended inside one
    std::string_view problem_;  ///< set with Step::kFault
    std::uint32_t max_frame_;
    std::uint32_t max_header_block_;
    std::uint32_t at_ = 0;         ///< scanned so far; this and the next four count from the frame's start
    std::uint32_t line_ = 0;       ///< start of the header line being scanned
    std::uint32_t colon_ = kNone;  ///< its first colon, or kNone
    std::uint32_t headers_ = 0;    ///< start of the header block
    std::uint32_t body_ = 0;       ///< start of the body, one past the blank line
    std::uint32_t length_ = kNone;
    std::uint16_t header_count_ = 0;
    std::uint16_t max_headers_;
    Phase phase_ = Phase::kBetween;
    StompCommand command_{};
    StompVersion version_;
    StompFault::Kind problem_kind_{};
    bool reading_length_ = false;  ///< the line is the first content-length
    bool escaped_ = false;         ///< a backslash was seen where it is an escape
    bool dead_ = false;
};

}  // namespace parley::wire
