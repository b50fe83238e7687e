#pragma once
#include <optional>
#include <string_view>

#include "base/units.h"

namespace parley::gateway {

/// RFC 3339 / ISO 8601 with a zone: `2026-11-20T12:34:56Z`, `….789Z`, `…+09:00`; a zone that is missing is UTC, a date
/// alone its midnight. Digits below milliseconds are cut off, so the time is never later than what was written.
[[nodiscard]] std::optional<WallTime> parse_iso_time(std::string_view text);

}  // namespace parley::gateway
