#pragma once
#include <cstdint>

namespace parley::bench {

/// The intended times of an open loop: evenly spaced over all senders, the senders in turn.
/// The times never wait for anybody: what could not be sent in time keeps the time it was meant for.
class Pacer {
public:
    /// `rate`: messages a second of all senders together; 0: no open loop, never due.
    Pacer(double rate, std::uint32_t senders) noexcept : rate_(senders == 0 ? 0 : rate), senders_(senders) {}

    void start(std::int64_t now_ns) noexcept {
        start_ns_ = now_ns;
        next_ = 0;
    }
    [[nodiscard]] bool is_due(std::int64_t now_ns) const noexcept { return rate_ > 0 && due_ns() <= now_ns; }
    /// When the next one is due. Requires an open loop.
    [[nodiscard]] std::int64_t due_ns() const noexcept {
        return start_ns_ + static_cast<std::int64_t>(static_cast<double>(next_) * 1e9 / rate_);
    }
    [[nodiscard]] bool is_open() const noexcept { return rate_ > 0; }
    /// Takes the next one; returns its sender's place, 0 to senders - 1.
    std::uint32_t take() noexcept { return static_cast<std::uint32_t>(next_++ % senders_); }

private:
    double rate_;
    std::uint32_t senders_;
    std::int64_t start_ns_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace parley::bench
