#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
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
/// Thread: one core. Owns: the part of a frame that has arrived; at rest only its limits, and no heap.
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
        /// Once for a frame whose headers have arrived before its end; the body is empty. Who ends the session here
        /// feeds nothing more.
        virtual void on_headers(const StompFrame& /*frame*/) {}
        /// For each end of line between frames.
        virtual void on_heartbeat() = 0;
    };

    explicit StompDecoder(StompLimits limits = {}, StompVersion version = StompVersion::k12) noexcept;
    ~StompDecoder();
    StompDecoder(const StompDecoder&) = delete;
    StompDecoder& operator=(const StompDecoder&) = delete;

    /// From the next frame on: what the answer to CONNECT agreed.
    void set_version(StompVersion version) noexcept { version_ = version; }
    [[nodiscard]] StompVersion version() const noexcept { return version_; }

    /// A frame that is whole in `bytes` is passed without a copy.
    [[nodiscard]] StompFed feed(std::string_view bytes, Handler& handler);
    /// Whether part of a frame is waiting for the rest.
    [[nodiscard]] bool in_frame() const noexcept { return partial_ != nullptr; }

private:
    class Scan;
    struct Partial;

    StompFed die(const Scan& scan, std::string_view frame, std::size_t consumed);
    Flow deliver(const Scan& scan, std::string_view frame, Handler& handler);
    StompFed wait(Scan& scan, std::string_view frame, std::size_t consumed, Handler& handler);
    template <class Use>
    auto with_headers(const Scan& scan, std::string_view frame, Use use);

    std::unique_ptr<Partial> partial_;  ///< null between frames
    std::uint32_t max_frame_;
    std::uint32_t max_header_block_;
    std::uint16_t max_headers_;
    StompVersion version_;
    bool dead_ = false;
};

}  // namespace parley::wire
