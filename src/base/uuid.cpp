#include "base/uuid.h"

#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace parley {
namespace {

void fill_random(std::span<unsigned char> out) {
    // Only a broken system generator fails; ids and secrets without randomness must not go out.
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
}

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    out.resize(out.size() + 2 * bytes.size());
    char* to = out.data() + out.size() - 2 * bytes.size();
    for (const unsigned char byte : bytes) {
        *to++ = kHex[byte >> 4];
        *to++ = kHex[byte & 15];
    }
}

/// RAND_bytes costs about a microsecond a call; one call serves 64 ids.
void next_random(std::span<unsigned char, 10> out) {
    thread_local std::array<unsigned char, 640> pool;
    thread_local std::size_t used = pool.size();
    if (used == pool.size()) {
        fill_random(pool);
        used = 0;
    }
    for (auto& byte : out) byte = pool[used++];
}

}  // namespace

std::string make_uuid7(WallTime now) {
    std::array<unsigned char, 16> b{};
    next_random(std::span{b}.subspan<6, 10>());
    const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
    for (int i = 0; i < 6; ++i) b[static_cast<std::size_t>(i)] = static_cast<unsigned char>(ms >> (40 - 8 * i));
    b[6] = static_cast<unsigned char>(0x70 | (b[6] & 0x0f));
    b[8] = static_cast<unsigned char>(0x80 | (b[8] & 0x3f));
    std::string out;
    out.reserve(36);
    std::size_t from = 0;
    for (const std::size_t length : {4, 2, 2, 2, 6}) {
        if (from != 0) out += '-';
        append_hex(out, std::span{b}.subspan(from, length));
        from += length;
    }
    return out;
}

std::string random_hex(std::size_t bytes) {
    std::string raw(bytes, '\0');
    fill_random({reinterpret_cast<unsigned char*>(raw.data()), raw.size()});
    std::string out;
    append_hex(out, {reinterpret_cast<const unsigned char*>(raw.data()), raw.size()});
    return out;
}

std::uint64_t random_number() {
    std::array<unsigned char, 8> raw{};
    fill_random(raw);
    std::uint64_t out = 0;
    for (const unsigned char byte : raw) out = out << 8 | byte;
    return out;
}

}  // namespace parley
