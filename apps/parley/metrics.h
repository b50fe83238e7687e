#pragma once
#include <functional>
#include <vector>

#include "base/metrics.h"
#include "gateway/services.h"
#include "log/log_stats.h"

namespace parley::app {

/// What /metrics reads from the parts rather than counting itself.
[[nodiscard]] std::vector<metrics::GaugeHandle> server_gauges(metrics::Registry& registry, gateway::Services& services,
                                                              const std::function<log::LogStats()>& log_stats);

}  // namespace parley::app
