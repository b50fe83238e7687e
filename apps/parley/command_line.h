#pragma once
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace parley::app {

/// What sub-commands have in common. Says why on stderr; the exit status of what cannot be done.
[[nodiscard]] int fault(const std::string& why);
/// The time that `flag` gives.
[[nodiscard]] Result<WallTime> parse_time(const char* flag, const std::string& text);

}  // namespace parley::app
