#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

/// What of the process's memory can grow quickly, counted where it is taken and given back.
///
/// Thread: any. add() is an addition to the thread's own sum; every 64 KiB it is told to the process with one relaxed
/// addition, so that the message path shares no cache line. total() is late by at most that much a thread.
namespace parley::memory {

enum class Use : std::uint8_t {
    kFrames,    ///< encoded bytes on their way to sockets: once, however many connections share them
    kMessages,  ///< messages waiting for the log, and messages that rooms and mailboxes hold
    kInput,     ///< beginnings of requests, messages and frames whose rest has not come
};
inline constexpr std::size_t kUses = 3;

void add(Use use, std::int64_t bytes) noexcept;
inline void take(Use use, std::size_t bytes) noexcept { add(use, static_cast<std::int64_t>(bytes)); }
inline void give_back(Use use, std::size_t bytes) noexcept { add(use, -static_cast<std::int64_t>(bytes)); }
[[nodiscard]] std::int64_t total(Use use) noexcept;
[[nodiscard]] std::int64_t total() noexcept;

/// Bytes that count as long as this lives. May die on another thread.
class Charge {
public:
    Charge() = default;
    Charge(Use use, std::size_t bytes) noexcept : bytes_(bytes), use_(use) { take(use_, bytes_); }
    Charge(Charge&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)), use_(other.use_) {}
    Charge& operator=(Charge&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(use_, other.use_);
        return *this;
    }
    ~Charge() {
        if (bytes_ != 0) give_back(use_, bytes_);
    }

    void grow(std::size_t more) noexcept {
        bytes_ += more;
        take(use_, more);
    }

private:
    std::size_t bytes_ = 0;
    Use use_ = Use::kFrames;
};

}  // namespace parley::memory
