#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "rt/chunk.h"

namespace parley::rt {

/// What one connection still has to write: references in order, counted in bytes.
///
/// Thread: core-local. Owns a reference on each queued chunk.
/// Order:  first in, first out; neighbouring slices of one chunk become one.
/// Memory: nothing is held while empty.
class OutQueue {
public:
    void push(Slice slice);
    /// Copies `bytes` to the end, into the last chunk where that is ours alone.
    void push_copy(std::string_view bytes);
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
    /// Fills `out` with what is to be written next. Returns how many entries.
    [[nodiscard]] std::size_t gather(std::span<iovec> out) const noexcept;
    /// Forgets `count` written bytes.
    void written(std::size_t count) noexcept;
    void clear() noexcept;

private:
    std::vector<Slice> slices_;  ///< from head_ on
    std::size_t head_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace parley::rt
