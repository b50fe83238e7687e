#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/websocket_frame.h"

namespace parley::app {

/// One WebSocket frame of a server at the front of `bytes`. nullopt: not all of it is there.
struct ServerFrame {
    wire::Opcode opcode{};
    std::string_view payload;
    std::size_t size = 0;  ///< with its header
};
[[nodiscard]] std::optional<ServerFrame> front_frame(std::string_view bytes) noexcept;

/// Appends `payload` as a masked frame, as clients must.
void append_client_frame(std::string& out, wire::Opcode opcode, std::string_view payload, std::uint32_t key);

/// What the generator needs of a STOMP frame that a server sent. Views into the frame; empty: no such header.
struct ServerStomp {
    std::string_view command;
    std::string_view receipt_id;
    std::string_view seq;
    std::string_view subscription;
    std::string_view message;
    std::string_view body;
};
[[nodiscard]] ServerStomp read_server_stomp(std::string_view frame) noexcept;

/// The decimal number `text` is, else 0.
[[nodiscard]] std::uint64_t number(std::string_view text) noexcept;
/// What follows `"name":` in a JSON object, up to the quote, comma or brace that ends it; quotes are left out.
[[nodiscard]] std::string_view json_field(std::string_view json, std::string_view name) noexcept;

}  // namespace parley::app
