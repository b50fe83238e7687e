#pragma once
#include <atomic>
#include <chrono>
#include <string>

#include "base/units.h"

namespace parley {

/// Where every part gets the time from. Thread: any. A test passes a ManualClock.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime steady() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] WallTime wall() const noexcept override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
    [[nodiscard]] SteadyTime steady() const noexcept override { return std::chrono::steady_clock::now(); }
};

/// Moves only when told. Thread: any.
class ManualClock final : public Clock {
public:
    explicit ManualClock(WallTime start = WallTime{std::chrono::milliseconds{1'700'000'000'000}}) noexcept
        : start_(start) {}
    [[nodiscard]] WallTime wall() const noexcept override { return start_ + std::chrono::milliseconds{passed_.load()}; }
    [[nodiscard]] SteadyTime steady() const noexcept override {
        return SteadyTime{} + std::chrono::hours{1} + std::chrono::milliseconds{passed_.load()};
    }
    void advance(std::chrono::milliseconds by) noexcept { passed_ += by.count(); }
    /// Moves the wall clock alone, as an administrator or NTP would.
    void set_wall_back(std::chrono::milliseconds by) noexcept { start_ -= by; }

private:
    WallTime start_;
    std::atomic<std::int64_t> passed_{0};
};

/// `2026-11-20T12:34:56.789Z`.
[[nodiscard]] std::string format_iso(WallTime time);

}  // namespace parley
