#pragma once
#include <cstdint>
#include <string_view>

namespace parley::bench {

/// What a run needs of a STOMP frame that a server sent. Views into the frame; empty: no such header.
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

}  // namespace parley::bench
