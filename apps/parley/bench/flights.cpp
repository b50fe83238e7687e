#include "bench/flights.h"

#include <algorithm>

namespace parley::bench {

void Flights::begin(const Stamp& stamp) {
    if (next_ - oldest_ == ring_.size()) {
        std::vector<Flight> larger(std::max<std::size_t>(4, ring_.size() * 2));
        for (std::uint32_t i = oldest_; i != next_; ++i) larger[i & (larger.size() - 1)] = at(i);
        ring_ = std::move(larger);
    }
    at(next_++) = {stamp, true};
    ++open_;
}

std::optional<Stamp> Flights::end(std::uint32_t counter) {
    if (counter < oldest_ || counter >= next_ || !at(counter).open) return std::nullopt;
    Flight& flight = at(counter);
    flight.open = false;
    --open_;
    while (oldest_ != next_ && !at(oldest_).open) ++oldest_;
    return flight.stamp;
}

}  // namespace parley::bench
