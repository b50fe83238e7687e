#pragma once
#include <atomic>
#include <cstdint>
#include <functional>

#include "base/units.h"

namespace parley {

/// How much memory the process may have, and how near to it it is.
///
/// The truth is what the kernel says is resident, read by sample(); between two samples what memory_account has grown
/// is added to it. The last eighth of the budget is the reserve for what is under way when the rest is used.
///
/// Thread: sample() from one thread, the others from any; they read two or three relaxed words.
/// Order:  as memory fills, the share of each connection shrinks (from 8/16 to 11/16), then new connections are refused
///         (from 13/16 until below 12/16), then senders wait (from 14/16 until below 13/16), then only a
///         connection that has nothing waiting is handed anything (from 15/16).
/// Fails:  where the kernel does not say what is resident, only the account counts.
class MemoryBudget {
public:
    struct Source {
        std::function<Bytes()> resident;
        /// Gives what was freed back to the kernel; it costs time.
        std::function<void()> trim;
    };
    /// What /proc/self/statm and the allocator of this process say and do.
    [[nodiscard]] static Source of_this_process();
    /// A budget that is never full.
    [[nodiscard]] static const MemoryBudget& unlimited();

    explicit MemoryBudget(Bytes limit, Source source = of_this_process());

    /// Reads what is resident; trims where that may help; logs when connections begin to be refused or senders to wait,
    /// and when they no longer are.
    void sample(SteadyTime now);
    /// How soon sample() is to be called again.
    [[nodiscard]] milliseconds next_sample() const noexcept;

    [[nodiscard]] Bytes limit() const noexcept { return limit_; }
    [[nodiscard]] Bytes used() const noexcept;
    [[nodiscard]] bool refuses_connections() const noexcept { return is_above(kCrowded, crowded_); }
    /// Whatever makes the process grow waits.
    [[nodiscard]] bool is_full() const noexcept { return is_above(kFull, full_); }
    /// Whether what is under way may still be ended.
    [[nodiscard]] bool has_reserve() const noexcept { return known() < sixteenths(kBrim); }
    /// What a connection may have waiting, where it may have `whole` in a free process: that, in 64 steps down to a
    /// 64th of it, and one byte in the end.
    [[nodiscard]] Bytes share(Bytes whole) const noexcept;

private:
    /// In sixteenths of the budget.
    static constexpr std::int64_t kShareShrinks = 8;
    static constexpr std::int64_t kShareLeast = 11;  ///< and what was freed is given back
    static constexpr std::int64_t kCrowded = 13;
    static constexpr std::int64_t kFull = 14;
    static constexpr std::int64_t kBrim = 15;

    [[nodiscard]] std::int64_t sixteenths(std::int64_t n) const noexcept {
        return static_cast<std::int64_t>(limit_.count / 16) * n;
    }
    [[nodiscard]] std::int64_t known() const noexcept;
    [[nodiscard]] bool is_above(std::int64_t mark, const std::atomic<bool>& flag) const noexcept;
    void read();
    void trim_if_worth(SteadyTime now);
    void cross(std::atomic<bool>& flag, std::int64_t mark, const char* reached, const char* left);

    const Bytes limit_;
    const Source source_;
    std::atomic<std::int64_t> base_{0};  ///< resident less the account, at the last sample
    std::atomic<bool> crowded_{false};
    std::atomic<bool> full_{false};
    // The sampling thread's own.
    SteadyTime next_trim_{};
    milliseconds trim_wait_{1000};
};

/// Half of the machine's memory, or of what its control group allows.
[[nodiscard]] Bytes default_memory_budget();

}  // namespace parley
