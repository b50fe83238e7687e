#pragma once
#include <optional>
#include <string>

#include "bench.h"
#include "bench_tally.h"

namespace parley::app {

/// What the server's process has used, from /proc. nullopt: no such process, or another user's.
struct ProcessUse {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0;
};
[[nodiscard]] std::optional<ProcessUse> process_use(int pid);

/// Of the server during the run; empty without --pid.
struct ServerUse {
    std::optional<double> cpu_seconds;  ///< while measuring
    std::optional<double> bytes_per_connection;
};

[[nodiscard]] std::string bench_table(const BenchRequest& request, const Tally& tally, const ServerUse& server);
[[nodiscard]] std::string bench_json(const BenchRequest& request, const Tally& tally, const ServerUse& server);

}  // namespace parley::app
