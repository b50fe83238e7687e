#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace parley::rt {

/// Bytes on their way to sockets, shared by reference. Thread: core-local, so the count is a plain integer.
class ChunkRef {
public:
    ChunkRef() = default;
    /// A chunk with room for `capacity` bytes and none in it.
    static ChunkRef make(std::size_t capacity);
    static ChunkRef copy_of(std::string_view bytes);

    ChunkRef(const ChunkRef& other) noexcept : chunk_(other.chunk_) {
        if (chunk_ != nullptr) ++chunk_->refs;
    }
    ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
    ChunkRef& operator=(ChunkRef other) noexcept {
        std::swap(chunk_, other.chunk_);
        return *this;
    }
    ~ChunkRef() {
        if (chunk_ != nullptr && --chunk_->refs == 0) release(chunk_);
    }

    explicit operator bool() const noexcept { return chunk_ != nullptr; }
    [[nodiscard]] const char* data() const noexcept { return reinterpret_cast<const char*>(chunk_ + 1); }
    [[nodiscard]] std::size_t size() const noexcept { return chunk_->size; }
    [[nodiscard]] bool is_shared() const noexcept { return chunk_->refs > 1; }
    [[nodiscard]] std::size_t space() const noexcept { return chunk_->capacity - chunk_->size; }
    /// Requires space() >= bytes.size(). Bytes that were there stay where they are.
    void append(std::string_view bytes) noexcept;
    friend bool operator==(const ChunkRef&, const ChunkRef&) = default;

private:
    struct Chunk {
        std::uint32_t refs;
        std::uint32_t size;
        std::uint32_t capacity;
        std::uint32_t unused;
    };
    static void release(Chunk* chunk) noexcept;
    Chunk* chunk_ = nullptr;
};

/// A run of bytes inside a chunk.
struct Slice {
    ChunkRef chunk;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
    [[nodiscard]] const char* data() const noexcept { return chunk.data() + begin; }
    [[nodiscard]] std::string_view view() const noexcept { return {data(), size()}; }
    static Slice whole(ChunkRef chunk) noexcept {
        const auto size = static_cast<std::uint32_t>(chunk.size());
        return {std::move(chunk), 0, size};
    }
};

}  // namespace parley::rt
