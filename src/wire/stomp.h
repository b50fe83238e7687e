#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::wire {

enum class StompVersion : std::uint8_t { k10, k11, k12 };

/// What a client may send. kStomp is 1.1's other name of CONNECT.
enum class StompCommand : std::uint8_t {
    kConnect,
    kStomp,
    kSend,
    kSubscribe,
    kUnsubscribe,
    kAck,
    kNack,
    kBegin,
    kCommit,
    kAbort,
    kDisconnect,
};

struct StompHeader {
    std::string_view name;
    std::string_view value;
};

/// `CONNECT`, ...
[[nodiscard]] std::string_view name(StompCommand command) noexcept;
/// `1.2`, ...
[[nodiscard]] std::string_view name(StompVersion version) noexcept;

/// The WebSocket sub-protocols spoken, best first.
inline constexpr std::array<std::string_view, 3> kStompSubprotocols{"v12.stomp", "v11.stomp", "v10.stomp"};
[[nodiscard]] std::optional<StompVersion> version_of_subprotocol(std::string_view subprotocol) noexcept;
/// The highest version common to us and a CONNECT's accept-version (`1.0,1.1,1.2`); no such header
/// means 1.0. nullopt: none, answer ERROR.
[[nodiscard]] std::optional<StompVersion> negotiate_version(std::optional<std::string_view> accept_version) noexcept;

/// A `heart-beat` header: milliseconds, 0 for "none".
struct HeartBeat {
    std::uint32_t sends = 0;    ///< its author can send one at least this often
    std::uint32_t expects = 0;  ///< its author would like one this often
    friend bool operator==(const HeartBeat&, const HeartBeat&) = default;
};
/// nullopt unless `cx,cy` in digits only; more than 32 bits count as the largest.
[[nodiscard]] std::optional<HeartBeat> parse_heart_beat(std::string_view value) noexcept;
/// What holds from now on, from the server's side: `sends` is how often we must, `expects` how often
/// the client must.
[[nodiscard]] HeartBeat negotiate_heart_beat(HeartBeat client, HeartBeat server) noexcept;

// Encoding. Header names and values are escaped as `version` says; what it cannot express (LF in
// 1.0, NUL in any) becomes a space. A content-length among `headers` is left out: the right one is
// written, for MESSAGE and wherever there is a body. CONNECTED is never escaped.

void append_stomp_frame(std::string& out, std::string_view command, std::span<const StompHeader> headers,
                        std::string_view body, StompVersion version);

/// A MESSAGE in two parts: the head is the subscriber's own, the tail is made once for all
/// subscribers of that version. `subscription` empty: no such header (1.0 allows it). `ack`: the
/// header of that name, where the subscription acknowledges.
void append_message_head(std::string& out, std::string_view subscription, StompVersion version,
                         std::string_view ack = {});
void append_message_tail(std::string& out, std::span<const StompHeader> headers, std::string_view body,
                         StompVersion version);

}  // namespace parley::wire
