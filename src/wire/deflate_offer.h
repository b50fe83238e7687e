#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::wire {

/// What was agreed for one connection (RFC 7692 section 7.1).
struct DeflateAgreement {
    int server_window_bits = 15;  ///< which Deflater to use, 9–15
    std::string response;         ///< value of our Sec-WebSocket-Extensions header
};

/// The first permessage-deflate offer that can be accepted in `extensions` (the values of the
/// client's Sec-WebSocket-Extensions headers, joined with commas); nullopt: go on without it.
/// An offer with an unknown, repeated or invalid parameter, or with server_max_window_bits=8 (which
/// zlib cannot do), is passed over. The response always states both no_context_takeovers, so that
/// neither side keeps memory per connection. A header that is not well formed has no offers.
[[nodiscard]] std::optional<DeflateAgreement> negotiate_deflate(std::string_view extensions);

}  // namespace parley::wire
