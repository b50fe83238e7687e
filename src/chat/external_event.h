#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace parley::chat {

/// The event that a room's readers see of what another service says there: `text` as it is where it is JSON, else as a
/// JSON string. Nothing where it is no UTF-8.
[[nodiscard]] std::optional<std::string> external_event(const RoomId& room, std::string_view text);

}  // namespace parley::chat
