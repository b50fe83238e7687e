#pragma once
#include <atomic>
#include <cstddef>
#include <utility>

#include "gateway/services.h"

namespace parley::gateway {

/// A place among the sessions, until the one it was kept for is there or has been refused: a storm of those being
/// judged would pass before the first has its session.
/// Thread: any. Must not outlive the Services.
class Seat {
public:
    explicit Seat(Services& services) : entering_(&services.entering) { entering_->fetch_add(1); }
    Seat(Seat&& other) noexcept : entering_(std::exchange(other.entering_, nullptr)) {}
    Seat& operator=(Seat&&) = delete;
    ~Seat() {
        if (entering_ != nullptr) entering_->fetch_sub(1);
    }

    /// Whether none is left.
    [[nodiscard]] static bool all_taken(const Services& services) noexcept {
        return services.sessions + services.entering >= services.options.max_sessions;
    }

private:
    std::atomic<std::size_t>* entering_;
};

}  // namespace parley::gateway
