#include "rt/out_queue.h"

#include <algorithm>

namespace parley::rt {
namespace {
constexpr std::size_t kPrivateChunk = 512;
}

void OutQueue::push(Slice slice) {
    if (slice.size() == 0) return;
    bytes_ += slice.size();
    if (slices_.size() > head_) {
        Slice& last = slices_.back();
        if (last.chunk == slice.chunk && last.end == slice.begin) {
            last.end = slice.end;
            return;
        }
    }
    slices_.push_back(std::move(slice));
}

void OutQueue::push_copy(std::string_view bytes) {
    if (bytes.empty()) return;
    if (slices_.size() > head_) {
        Slice& last = slices_.back();
        if (!last.chunk.is_shared() && last.end == last.chunk.size() && last.chunk.space() >= bytes.size()) {
            last.chunk.append(bytes);
            last.end += static_cast<std::uint32_t>(bytes.size());
            bytes_ += bytes.size();
            return;
        }
    }
    // The first small answer gets what it needs; a run of them gets a chunk to gather in.
    const std::size_t capacity = slices_.size() > head_ ? std::max(kPrivateChunk, bytes.size()) : bytes.size();
    ChunkRef chunk = ChunkRef::make(capacity);
    chunk.append(bytes);
    push(Slice::whole(std::move(chunk)));
}

std::size_t OutQueue::gather(std::span<iovec> out) const noexcept {
    std::size_t n = 0;
    for (std::size_t i = head_; i < slices_.size() && n < out.size(); ++i, ++n) {
        out[n] = {const_cast<char*>(slices_[i].data()), slices_[i].size()};
    }
    return n;
}

void OutQueue::written(std::size_t count) noexcept {
    bytes_ -= count;
    if (bytes_ == 0) {
        clear();
        return;
    }
    while (count > 0) {
        Slice& first = slices_[head_];
        if (first.size() > count) {
            first.begin += static_cast<std::uint32_t>(count);
            break;
        }
        count -= first.size();
        slices_[head_++].chunk = ChunkRef{};
    }
    if (head_ > 32 && head_ * 2 > slices_.size()) {
        slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
}

void OutQueue::clear() noexcept {
    std::vector<Slice>{}.swap(slices_);
    head_ = 0;
    bytes_ = 0;
}

}  // namespace parley::rt
