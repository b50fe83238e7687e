#include "bench_tally.h"

#include <algorithm>
#include <bit>

namespace parley::app {

void Histogram::add(std::chrono::nanoseconds value) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count() / 1000, 0));
    std::size_t slot = us;
    if (us >= kFine) {
        const auto power = static_cast<unsigned>(std::bit_width(us)) - 1 - kFineBits;
        slot = (power + 1) * kFine + ((us >> power) - kFine);
    }
    ++slots_[std::min(slot, kSlots - 1)];
    ++count_;
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

bool BenchRoom::acknowledge(std::uint64_t seq) {
    if (seq >= acknowledged_.size()) acknowledged_.resize(std::max<std::size_t>(seq + 1, acknowledged_.size() * 2));
    if (acknowledged_[seq]) return false;
    acknowledged_[seq] = true;
    lowest_ = lowest_ == 0 ? seq : std::min(lowest_, seq);
    highest_ = std::max(highest_, seq);
    return true;
}

void Tally::problem(std::string line) {
    constexpr std::size_t kShown = 5;
    if (problems.size() < kShown) problems.push_back(std::move(line));
}

}  // namespace parley::app
