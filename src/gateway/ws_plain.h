#pragma once
#include <string>
#include <string_view>

#include "gateway/exchange.h"
#include "gateway/ws_session.h"

namespace parley::gateway {

class Core;

/// What the WebSocket endpoints without STOMP have in common.

/// Refuses what is no good WebSocket handshake, or comes from where or when nobody is let in. True: it is answered.
[[nodiscard]] bool refuses_websocket(Core& core, const ExchangeRef& exchange);
/// One text message, compressed where `deflater` is given and it is worth it.
void append_text_frame(std::string& out, std::string_view text, wire::Deflater* deflater);
/// Null for 0 bits: no compression.
[[nodiscard]] wire::Deflater* deflater_of(Core& core, int deflate_bits);

}  // namespace parley::gateway
