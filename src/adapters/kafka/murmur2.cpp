#include "adapters/kafka/murmur2.h"

namespace parley::kafka {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28c;
constexpr std::uint32_t kFactor = 0x5bd1e995;

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

std::uint32_t murmur2(std::string_view bytes) noexcept {
    std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
    std::size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4) {
        std::uint32_t part = byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2) << 16 |
                             byte_at(bytes, at + 3) << 24;
        part *= kFactor;
        part ^= part >> 24;
        part *= kFactor;
        hash = hash * kFactor ^ part;
    }
    if (at < bytes.size()) {
        for (std::size_t i = bytes.size(); i > at; --i) hash ^= byte_at(bytes, i - 1) << 8 * (i - 1 - at);
        hash *= kFactor;
    }
    hash ^= hash >> 13;
    hash *= kFactor;
    return hash ^ hash >> 15;
}

}  // namespace parley::kafka
