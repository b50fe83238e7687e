#pragma once
#include <cstdint>

#include "base/errors.h"

namespace parley::gateway {

/// What a WebSocket closes with after this error (docs/protocol.md section 3): 4400–4499 where coming back as one is
/// cannot help, 4503 or 1011 where it can. Faults of a protocol itself have the codes of RFC 6455.
[[nodiscard]] std::uint16_t close_code(Code code) noexcept;

}  // namespace parley::gateway
