#include "rt/out_queue.h"

#include <algorithm>
#include <utility>

namespace parley::rt {
namespace {
constexpr std::size_t kPrivateChunk = 512;
constexpr std::size_t kWorthMoving = 32;
}  // namespace

void OutQueue::push(Slice slice) {
    if (slice.size() == 0) return;
    if (bytes_ == 0) {
        bytes_ = slice.size();
        first_ = std::move(slice);
        return;
    }
    bytes_ += slice.size();
    Slice& before = last();
    if (before.chunk == slice.chunk && before.end == slice.begin) {
        before.end = slice.end;
        return;
    }
    if (rest_ == nullptr) rest_ = std::make_unique<Rest>();
    rest_->slices.push_back(std::move(slice));
}

void OutQueue::push_copy(std::string_view bytes) {
    if (bytes.empty()) return;
    const bool first = bytes_ == 0;
    if (!first) {
        Slice& before = last();
        if (!before.chunk.is_shared() && before.end == before.chunk.size() && before.chunk.space() >= bytes.size()) {
            before.chunk.append(bytes);
            before.end += static_cast<std::uint32_t>(bytes.size());
            bytes_ += bytes.size();
            return;
        }
    }
    // The first small answer gets what it needs; a run of them gets a chunk to gather in.
    ChunkRef chunk = ChunkRef::make(first ? bytes.size() : std::max(kPrivateChunk, bytes.size()));
    chunk.append(bytes);
    push(Slice::whole(std::move(chunk)));
}

std::size_t OutQueue::gather(std::span<iovec> out) const noexcept {
    if (bytes_ == 0 || out.empty()) return 0;
    const auto entry = [](const Slice& slice) { return iovec{const_cast<char*>(slice.data()), slice.size()}; };
    out[0] = entry(first_);
    if (rest_ == nullptr) return 1;
    std::size_t n = 1;
    for (std::size_t i = rest_->head; i < rest_->slices.size() && n < out.size(); ++i, ++n) {
        out[n] = entry(rest_->slices[i]);
    }
    return n;
}

void OutQueue::written(std::size_t count) noexcept {
    bytes_ -= count;
    if (bytes_ == 0) {
        clear();
        return;
    }
    while (count >= first_.size()) {
        count -= first_.size();
        drop_first();
    }
    first_.begin += static_cast<std::uint32_t>(count);
}

void OutQueue::drop_first() noexcept {
    auto& [slices, head] = *rest_;
    first_ = std::move(slices[head++]);
    if (head == slices.size()) {
        rest_.reset();
    } else if (head > kWorthMoving && head * 2 > slices.size()) {
        slices.erase(slices.begin(), slices.begin() + static_cast<std::ptrdiff_t>(head));
        head = 0;
    }
}

void OutQueue::clear() noexcept {
    first_ = {};
    rest_.reset();
    bytes_ = 0;
}

}  // namespace parley::rt
