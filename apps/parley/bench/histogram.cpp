#include "bench/histogram.h"

#include <algorithm>
#include <bit>

namespace parley::bench {

void Histogram::add(std::chrono::nanoseconds value) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count() / 1000, 0));
    std::size_t slot = us;
    if (us >= kFine) {
        const auto power = static_cast<unsigned>(std::bit_width(us)) - 1 - kFineBits;
        slot = (power + 1) * kFine + ((us >> power) - kFine);
    }
    ++slots_[std::min(slot, kSlots - 1)];
    ++count_;
    max_us_ = std::max(max_us_, us);
}

double Histogram::percentile(double part) const noexcept {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(count_ - 1)) + 1;
    std::uint64_t seen = 0;
    std::size_t slot = 0;
    while ((seen += slots_[slot]) < wanted) ++slot;
    if (slot < kFine) return static_cast<double>(slot) / 1000;
    const auto power = slot / kFine - 1;
    return static_cast<double>((slot % kFine + kFine) << power) / 1000;
}

void Histogram::clear() noexcept {
    if (count_ == 0) return;
    std::fill(slots_.begin(), slots_.end(), 0);
    count_ = 0;
    max_us_ = 0;
}

}  // namespace parley::bench
