#pragma once
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace parley {

/// A size in bytes; `64_KiB`.
struct Bytes {
    std::size_t count = 0;
    friend constexpr auto operator<=>(Bytes, Bytes) = default;
};

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) { return {n}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return {n * 1024}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {n * 1024 * 1024}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return {n * 1024 * 1024 * 1024}; }
}  // namespace literals

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A token bucket's size and the time in which it fills: `60/10s` allows 60 at once, then 6 a second.
struct Rate {
    std::uint32_t count = 0;
    milliseconds per{1000};
    friend constexpr auto operator<=>(Rate, Rate) = default;
};

/// Wall-clock time, UTC, milliseconds: what `createdAt`, `exp` and files carry.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Monotonic time, for everything that waits.
using SteadyTime = std::chrono::steady_clock::time_point;

}  // namespace parley
