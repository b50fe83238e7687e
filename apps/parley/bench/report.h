#pragma once
#include <string>

#include "bench/options.h"
#include "bench/run.h"
#include "bench/tally.h"

namespace parley::bench {

[[nodiscard]] std::string table(const LoadOptions& options, const Tally& tally, const ServerUse& server);
/// One object; bench/README.md names its members.
[[nodiscard]] std::string json(const LoadOptions& options, const Tally& tally, const ServerUse& server);

}  // namespace parley::bench
