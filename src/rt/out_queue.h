#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "rt/chunk.h"

namespace parley::rt {

/// What one connection still has to write: references in order, counted in bytes.
///
/// Thread: core-local. Owns a reference on each queued chunk.
/// Order:  first in, first out; neighbouring slices of one chunk become one.
/// Memory: one slice, as a delivery is, needs nothing beside this; nothing more is held while empty.
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
    struct Rest {
        std::vector<Slice> slices;  ///< from head on
        std::size_t head = 0;
    };
    [[nodiscard]] Slice& last() noexcept { return rest_ == nullptr ? first_ : rest_->slices.back(); }
    void drop_first() noexcept;

    Slice first_;
    std::unique_ptr<Rest> rest_;  ///< behind first_; null while there is nothing
    std::size_t bytes_ = 0;
};

}  // namespace parley::rt
