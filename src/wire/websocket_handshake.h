#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::wire {

/// The header values of an upgrade request, each empty when the header is missing; several headers
/// of one name joined with commas.
struct UpgradeHeaders {
    std::string_view upgrade;     ///< Upgrade
    std::string_view connection;  ///< Connection
    std::string_view version;     ///< Sec-WebSocket-Version
    std::string_view key;         ///< Sec-WebSocket-Key
};

/// `status` 426 must be sent with `Sec-WebSocket-Version: 13` (and `Upgrade: websocket`).
struct UpgradeRefusal {
    int status;  ///< 400 or 426
    std::string_view text;
};

/// Whether `Upgrade` names WebSocket at all (else the request is an ordinary one).
[[nodiscard]] bool wants_websocket(std::string_view upgrade) noexcept;
/// Whether `Connection` names Upgrade.
[[nodiscard]] bool wants_upgrade(std::string_view connection) noexcept;
/// RFC 6455 section 4.2.1; the method (GET) and HTTP version are the caller's to check.
[[nodiscard]] std::optional<UpgradeRefusal> check_handshake(const UpgradeHeaders& headers) noexcept;
/// Sec-WebSocket-Accept for a key that check_handshake() has passed.
[[nodiscard]] std::string accept_key(std::string_view key);
/// The first of the client's sub-protocols (Sec-WebSocket-Protocol, in its order of preference) that
/// is in `supported`; empty: none, send no such header.
[[nodiscard]] std::string_view choose_subprotocol(std::string_view offered,
                                                  std::span<const std::string_view> supported) noexcept;

}  // namespace parley::wire
