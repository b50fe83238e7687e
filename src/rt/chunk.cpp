#include "rt/chunk.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/memory_account.h"

namespace parley::rt {

ChunkRef ChunkRef::make(std::size_t capacity) {
    void* const room = std::malloc(sizeof(Chunk) + capacity);
    if (room == nullptr) throw std::bad_alloc{};
    memory::take(memory::Use::kFrames, sizeof(Chunk) + capacity);
    ChunkRef ref;
    ref.chunk_ = new (room) Chunk{1, 0, static_cast<std::uint32_t>(capacity), 0};
    return ref;
}

ChunkRef ChunkRef::copy_of(std::string_view bytes) {
    ChunkRef ref = make(bytes.size());
    ref.append(bytes);
    return ref;
}

void ChunkRef::append(std::string_view bytes) noexcept {
    std::memcpy(reinterpret_cast<char*>(chunk_ + 1) + chunk_->size, bytes.data(), bytes.size());
    chunk_->size += static_cast<std::uint32_t>(bytes.size());
}

void ChunkRef::release(Chunk* chunk) noexcept {
    memory::give_back(memory::Use::kFrames, sizeof(Chunk) + chunk->capacity);
    std::free(chunk);
}

}  // namespace parley::rt
