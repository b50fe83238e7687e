#pragma once
#include "base/config.h"

namespace parley::app {

/// Runs the server until SIGTERM or SIGINT. Returns the exit status: 0 after draining, 2 when it cannot start.
[[nodiscard]] int serve(const Config& config, bool test_endpoints);

}  // namespace parley::app
