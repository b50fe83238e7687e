#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace parley::app {

/// Durations from 1 µs to hours, each within 1.6 % of the truth.
class Histogram {
public:
    void add(std::chrono::nanoseconds value) noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// In milliseconds; `part` in 0–1. 0 where nothing was added.
    [[nodiscard]] double percentile(double part) const noexcept;

private:
    static constexpr unsigned kFineBits = 6;  // each power of two is cut into 64
    static constexpr std::uint64_t kFine = 1U << kFineBits;
    static constexpr std::size_t kSlots = 40 * kFine;
    std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(kSlots);
    std::uint64_t count_ = 0;
};

/// One room as its senders were told: which seqs are acknowledged.
class BenchRoom {
public:
    explicit BenchRoom(std::string name) : name_(std::move(name)) {}
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// False: another receipt had that seq.
    [[nodiscard]] bool acknowledge(std::uint64_t seq);
    /// 0: none yet.
    [[nodiscard]] std::uint64_t lowest() const noexcept { return lowest_; }
    [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }

private:
    std::string name_;
    std::vector<bool> acknowledged_;
    std::uint64_t lowest_ = 0;
    std::uint64_t highest_ = 0;
};

/// What all connections of a run add up to. Thread: one.
struct Tally {
    // What counts towards rates: since `begun`, while `measuring`.
    bool measuring = false;
    SteadyTime begun{};
    SteadyTime ended{};
    std::uint64_t acknowledged = 0;
    std::uint64_t delivered = 0;
    Histogram receipt;
    Histogram delivery;

    // The whole run.
    std::uint64_t all_sent = 0;
    std::uint64_t all_acknowledged = 0;
    std::uint64_t all_delivered = 0;
    std::uint64_t resyncs = 0;

    // Each is a fault.
    std::uint64_t refused = 0;           ///< SENDs answered by an error
    std::uint64_t broken = 0;            ///< connections that ended: ERROR frame, close, reset
    std::uint64_t doubled_receipts = 0;  ///< a receipt nobody waited for
    std::uint64_t doubled_seqs = 0;      ///< two receipts of a room with one seq
    std::uint64_t gaps = 0;              ///< a receiver saw a seq above the next one
    std::uint64_t repeats = 0;           ///< a receiver saw a seq again, or a lower one
    std::uint64_t unanswered = 0;        ///< SENDs without receipt at the end
    std::uint64_t incomplete = 0;        ///< receivers without every acknowledged message

    std::vector<std::string> problems;  ///< the first few, as lines
    void problem(std::string line);
    [[nodiscard]] bool good() const noexcept {
        return refused + broken + doubled_receipts + doubled_seqs + gaps + repeats + unanswered + incomplete == 0;
    }
    [[nodiscard]] double seconds() const noexcept { return std::chrono::duration<double>(ended - begun).count(); }
};

}  // namespace parley::app
