#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "gateway/exchange.h"
#include "gateway/services.h"
#include "log/reader_lag.h"

namespace parley::gateway {

/// What /ready answers where nothing keeps the process from its work: `degraded` names what is away for it and others
/// alike, which only `strict` makes 503, and `lags` how far readers are behind.
[[nodiscard]] Services::Readiness ready(const std::vector<std::string>& degraded, bool strict,
                                        const log::ReaderLags& lags);
[[nodiscard]] Services::Readiness not_ready(Code code, std::string_view why);

/// Answers /health, /ready and, where `metrics` is given, /metrics. False: the request is for none of them.
bool serve_health(const ExchangeRef& exchange, const std::function<Services::Readiness()>& readiness,
                  const metrics::Registry* metrics);

}  // namespace parley::gateway
