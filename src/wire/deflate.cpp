#include "wire/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace parley::wire {
namespace {

constexpr std::string_view kTail{"\x00\x00\xFF\xFF", 4};
constexpr std::size_t kFirstBuffer = 16 * 1024;
constexpr std::size_t kKeptBuffer = 64 * 1024;
constexpr std::size_t kWindow = 32 * 1024;
constexpr int kAtBlockStart = 128;  ///< in z_stream::data_type, see inflate() in zlib.h

void require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "parley: zlib: %s\n", what);
    std::abort();
}

Bytef* zlib_bytes(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

struct Deflater::Stream {
    z_stream z{};
};

Deflater::Deflater(int window_bits, int level) : stream_(std::make_unique<Stream>()) {
    require(deflateInit2(&stream_->z, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2");
}

Deflater::~Deflater() { deflateEnd(&stream_->z); }

void Deflater::compress(std::string_view message, std::string& out) {
    if (message.empty()) {  // RFC 7692 section 7.2.3.6
        out += '\0';
        return;
    }
    z_stream& z = stream_->z;
    const std::size_t start = out.size();
    out.resize(start + deflateBound(&z, message.size()) + 16);
    z.next_in = zlib_bytes(message);
    z.avail_in = static_cast<uInt>(message.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data() + start);
    z.avail_out = static_cast<uInt>(out.size() - start);
    require(deflate(&z, Z_SYNC_FLUSH) == Z_OK, "deflate");
    require(z.avail_in == 0 && z.avail_out > 0, "deflateBound was too small");
    out.resize(out.size() - z.avail_out - kTail.size());
    deflateReset(&z);
}

void Deflater::append_stored(std::string& out, std::string_view bytes) {
    // RFC 1951 section 3.2.4: a block of type 00, its length and the complement of it.
    require(bytes.size() <= 0xFFFF, "too long for a stored block");
    const auto size = static_cast<std::uint16_t>(bytes.size());
    const std::array<char, 5> head{0, static_cast<char>(size & 0xFF), static_cast<char>(size >> 8),
                                   static_cast<char>(~size & 0xFF), static_cast<char>((~size >> 8) & 0xFF)};
    out.append(head.data(), head.size());
    out += bytes;
}

Deflater& DeflaterSet::at(int window_bits) {
    std::unique_ptr<Deflater>& slot = made_.at(static_cast<std::size_t>(window_bits));
    if (!slot) slot = std::make_unique<Deflater>(window_bits);
    return *slot;
}

struct Inflater::Stream {
    z_stream z{};
    std::unique_ptr<char[]> buffer;
    std::size_t capacity = 0;
    std::size_t size = 0;

    void reserve(std::size_t wanted) {
        std::unique_ptr<char[]> bigger(new char[wanted]);
        if (size > 0) std::memcpy(bigger.get(), buffer.get(), size);
        buffer = std::move(bigger);
        capacity = wanted;
    }
    /// The next stream may look back into what this message gave so far.
    void begin_next_stream() {
        inflateReset(&z);
        const std::size_t window = std::min(size, kWindow);
        if (window > 0) {
            inflateSetDictionary(&z, reinterpret_cast<const Bytef*>(buffer.get() + size - window),
                                 static_cast<uInt>(window));
        }
    }
    InflateStatus expand(std::string_view input, std::size_t limit, bool& ended);
};

/// `ended` on return: a BFINAL block ended exactly with `input`.
InflateStatus Inflater::Stream::expand(std::string_view input, std::size_t limit, bool& ended) {
    z.next_in = zlib_bytes(input);
    z.avail_in = static_cast<uInt>(input.size());
    while (true) {
        if (size == capacity) reserve(std::min(capacity * 2, limit + 1));
        z.next_out = reinterpret_cast<Bytef*>(buffer.get() + size);
        z.avail_out = static_cast<uInt>(capacity - size);
        const int result = ::inflate(&z, Z_SYNC_FLUSH);
        size = capacity - z.avail_out;
        if (size > limit) return InflateStatus::kTooLarge;
        if (result == Z_STREAM_END) {
            if (z.avail_in == 0) {
                ended = true;
                return InflateStatus::kOk;
            }
            begin_next_stream();
            continue;
        }
        if (result != Z_OK && result != Z_BUF_ERROR) return InflateStatus::kCorrupt;
        // At the start of a block nothing waits to come out; asking again would lose that mark.
        if (z.avail_in == 0 && (z.avail_out > 0 || (z.data_type & kAtBlockStart) != 0)) return InflateStatus::kOk;
    }
}

Inflater::Inflater() : stream_(std::make_unique<Stream>()) {
    require(inflateInit2(&stream_->z, -Deflater::kMaxWindowBits) == Z_OK, "inflateInit2");
}

Inflater::~Inflater() { inflateEnd(&stream_->z); }

Inflater::Outcome Inflater::inflate(std::string_view payload, std::size_t limit) {
    Stream& s = *stream_;
    inflateReset(&s.z);
    s.size = 0;
    if (payload.empty()) return {InflateStatus::kOk, {}};
    if (s.capacity > kKeptBuffer || s.capacity == 0 || s.capacity > limit + 1) {
        s.reserve(std::min(kFirstBuffer, limit + 1));
    }
    bool ended = false;
    InflateStatus status = s.expand(payload, limit, ended);
    if (status == InflateStatus::kOk && !ended) {
        status = s.expand(kTail, limit, ended);
        constexpr int kUnusedBits = 7;
        const int place = s.z.data_type;
        const bool whole = !ended && (place & kAtBlockStart) != 0 && (place & kUnusedBits) == 0;
        if (status == InflateStatus::kOk && !whole) status = InflateStatus::kCorrupt;
    }
    if (status != InflateStatus::kOk) return {status, {}};
    return {status, {s.buffer.get(), s.size}};
}

}  // namespace parley::wire
