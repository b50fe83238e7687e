#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "bench/stamp.h"

namespace parley::bench {

/// A sender's SENDs that wait for their answer, by their counter. Grows, and then allocates nothing.
class Flights {
public:
    [[nodiscard]] std::size_t size() const noexcept { return open_; }
    [[nodiscard]] std::uint32_t next() const noexcept { return next_; }
    /// `stamp.counter` is next().
    void begin(const Stamp& stamp);
    /// nullopt: nobody waits for that one, or it was answered before.
    std::optional<Stamp> end(std::uint32_t counter);

private:
    struct Flight {
        Stamp stamp;
        bool open = false;
    };
    [[nodiscard]] Flight& at(std::uint32_t counter) { return ring_[counter & (ring_.size() - 1)]; }

    std::vector<Flight> ring_;
    std::uint32_t oldest_ = 1;  ///< below it all are answered
    std::uint32_t next_ = 1;
    std::size_t open_ = 0;
};

}  // namespace parley::bench
