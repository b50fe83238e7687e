#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/stamp.h"
#include "bench/tally.h"

namespace parley::bench {

/// What a run knows of one room: which message each seq is, and in which order each sender's came.
/// Thread: one. Limit: the last 16 384 seqs are remembered; of older ones only the order is checked.
/// Fails:  what is wrong is counted in the tally.
class RoomCheck {
public:
    RoomCheck(std::string name, Tally& tally) : name_(std::move(name)), tally_(tally) {}
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Of records that no sender of the run made.
    static constexpr Stamp kNobodys{0, ~0U, 0};
    /// What is not above `seq` was there before the run's messages; the first one that says so counts.
    void begin_at(std::uint64_t seq) noexcept {
        if (checked_ == 0) checked_ = seq;
    }

    /// `seq` is that message, somebody said: a delivery, or a receipt.
    void is(std::uint64_t seq, const Stamp& stamp);
    /// Its sender was told so. A seq is acknowledged once.
    void acknowledge(std::uint64_t seq, const Stamp& stamp);
    /// A message that its sender was refused leaves a hole in its counters.
    void refused(std::uint32_t sender) { senders_[sender].holes = true; }

    /// Whether every seq from 1 to the highest acknowledged is known: rooms of a run are new, and nobody else's.
    [[nodiscard]] bool is_dense() const noexcept { return checked_ >= highest_; }
    /// 0: none yet.
    [[nodiscard]] std::uint64_t lowest() const noexcept { return lowest_; }
    [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
    /// When the message `seq` was sent; 0 where that is forgotten.
    [[nodiscard]] std::int64_t sent_ns(std::uint64_t seq) const noexcept;

private:
    struct Known {
        std::uint64_t seq = 0;
        Stamp stamp;
        bool acknowledged = false;
    };
    struct Sender {
        std::uint32_t last = 0;
        bool holes = false;
    };
    static constexpr std::size_t kFirstSize = 64;
    static constexpr std::size_t kLargest = 16'384;

    Known* slot(std::uint64_t seq);
    void grow();
    void check_senders();

    std::string name_;
    Tally& tally_;
    std::vector<Known> ring_ = std::vector<Known>(kFirstSize);
    std::unordered_map<std::uint32_t, Sender> senders_;
    std::uint64_t lowest_ = 0;   ///< acknowledged
    std::uint64_t highest_ = 0;  ///< acknowledged
    std::uint64_t top_ = 0;      ///< highest known
    std::uint64_t checked_ = 0;  ///< the senders' order is checked up to here
};

}  // namespace parley::bench
