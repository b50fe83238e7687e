#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace parley::bench {

/// What processes have used since they started, from /proc; of several, added up.
struct ProcessUse {
    double cpu_seconds = 0;   ///< to the nanosecond
    double user_seconds = 0;  ///< these two in steps of 10 ms
    double system_seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t anonymous_bytes = 0;  ///< without files mapped; 0 where smaps_rollup may not be read
};
/// nullopt: no such process, or none asked for.
[[nodiscard]] std::optional<ProcessUse> process_use(std::span<const int> pids);
/// The calling process's own.
[[nodiscard]] double own_cpu_seconds() noexcept;
/// Cheaper: 0 where there is no such process.
[[nodiscard]] std::uint64_t resident_bytes(std::span<const int> pids);

}  // namespace parley::bench
