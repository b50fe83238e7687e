#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace parley::bench {

/// What processes have used since they started, from /proc; of several, added up.
struct ProcessUse {
    double user_seconds = 0;
    double system_seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t anonymous_bytes = 0;  ///< without files mapped; 0 where smaps_rollup may not be read
    [[nodiscard]] double cpu_seconds() const noexcept { return user_seconds + system_seconds; }
};
/// nullopt: no such process, or none asked for.
[[nodiscard]] std::optional<ProcessUse> process_use(std::span<const int> pids);
/// Cheaper: 0 where there is no such process.
[[nodiscard]] std::uint64_t resident_bytes(std::span<const int> pids);

}  // namespace parley::bench
