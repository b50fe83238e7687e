#pragma once
#include <string>
#include <vector>

#include "base/config.h"

namespace parley::app {

/// `parley worker`: roles without a server, until SIGTERM. Returns the exit status; what keeps it from starting is one
/// line and status 2.
[[nodiscard]] int run_worker(const Config& config, const std::vector<std::string>& roles);

}  // namespace parley::app
