#pragma once
#include <vector>

#include "base/metrics.h"
#include "gateway/services.h"
#include "log/embedded_log.h"

namespace parley::app {

/// What /metrics reads from the parts rather than counting itself.
[[nodiscard]] std::vector<metrics::GaugeHandle> server_gauges(metrics::Registry& registry, gateway::Services& services,
                                                              log::EmbeddedLog& log);

}  // namespace parley::app
