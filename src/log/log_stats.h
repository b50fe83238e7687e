#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace parley::log {

/// Counted since open(), for metrics.
struct LogStats {
    static constexpr std::array<std::uint32_t, 11> kCommitBoundsUs{100,    250,    500,     1'000,   2'500,    5'000,
                                                                   10'000, 25'000, 100'000, 500'000, 2'000'000};
    std::uint64_t commits = 0;
    std::uint64_t messages = 0;
    std::uint64_t repeats = 0;
    std::uint64_t refused = 0;  ///< appends answered kStoreUnavailable
    std::uint64_t faults = 0;   ///< times storing began to fail
    std::uint64_t trimmed = 0;
    std::uint64_t left_out = 0;  ///< records of a shared topic that are no messages
    std::uint64_t queue_bytes = 0;
    bool available = true;
    /// Commits that took at most the bound; the last one counts those above all bounds.
    std::array<std::uint64_t, kCommitBoundsUs.size() + 1> commit_time{};
    std::uint64_t commit_time_us = 0;  ///< sum
};

/// Where a log counts. Thread: any.
struct LogCounters {
    std::atomic<std::uint64_t> commits{0}, messages{0}, repeats{0}, refused{0}, faults{0}, trimmed{0}, left_out{0},
        time_us{0};
    std::array<std::atomic<std::uint64_t>, LogStats::kCommitBoundsUs.size() + 1> time{};

    void count_commit(std::chrono::microseconds took) {
        const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
        const auto& bounds = LogStats::kCommitBoundsUs;
        const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), us) - bounds.begin();
        ++time[static_cast<std::size_t>(bucket)];
        time_us += us;
        ++commits;
    }

    /// Without what only the log itself knows: queue_bytes and available.
    [[nodiscard]] LogStats read() const {
        LogStats out;
        out.commits = commits;
        out.messages = messages;
        out.repeats = repeats;
        out.refused = refused;
        out.faults = faults;
        out.trimmed = trimmed;
        out.left_out = left_out;
        out.commit_time_us = time_us;
        for (std::size_t i = 0; i < out.commit_time.size(); ++i) out.commit_time[i] = time[i];
        return out;
    }
};

}  // namespace parley::log
