#pragma once
#include <functional>
#include <vector>

#include "base/metrics.h"
#include "gateway/services.h"
#include "log/log_stats.h"
#include "log/reader_lag.h"

namespace parley::app {

/// What /metrics reads from the parts rather than counting itself.
[[nodiscard]] std::vector<metrics::GaugeHandle> server_gauges(metrics::Registry& registry, gateway::Services& services,
                                                              const std::function<log::LogStats()>& log_stats);
void add_log_gauges(std::vector<metrics::GaugeHandle>& gauges, metrics::Registry& registry,
                    const std::function<log::LogStats()>& log_stats);
/// The lag of each reader of a log that is a topic, by partition.
void add_lag_gauges(std::vector<metrics::GaugeHandle>& gauges, metrics::Registry& registry, const log::ReaderLags& lags,
                    std::uint32_t partitions);

}  // namespace parley::app
