#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace parley::wire {

/// Compresses messages for permessage-deflate (RFC 7692), each by itself: nothing is remembered
/// from one message to the next, so one compressed payload serves every subscriber.
/// Thread: one; make one per thread and window size. About 260 KiB at 15 bits.
class Deflater {
public:
    static constexpr int kMinWindowBits = 9;  ///< zlib cannot make raw streams for 8
    static constexpr int kMaxWindowBits = 15;
    /// `window_bits` 9–15. Aborts when memory runs out.
    explicit Deflater(int window_bits, int level = 6);
    ~Deflater();
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    /// Appends the payload of one message (RSV1 set), without the closing 00 00 FF FF.
    void compress(std::string_view message, std::string& out);
    /// Appends `bytes` (at most 65 535) as they are, for a message that goes on with what compress() made: what differs
    /// from reader to reader stands in front of what is compressed once for all.
    static void append_stored(std::string& out, std::string_view bytes);

private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

/// One thread's Deflaters, each made at first use.
class DeflaterSet {
public:
    /// `window_bits` 9–15, as DeflateParams::server_window_bits.
    [[nodiscard]] Deflater& at(int window_bits);

private:
    std::array<std::unique_ptr<Deflater>, Deflater::kMaxWindowBits + 1> made_;
};

enum class InflateStatus { kOk, kTooLarge, kCorrupt };

/// Expands permessage-deflate messages of clients that keep no context (what negotiate_deflate()
/// always demands), so one serves every connection of its thread.
/// Thread: one. Keeps about 64 KiB, more only while a large message is in use.
class Inflater {
public:
    Inflater();
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    struct Outcome {
        InflateStatus status;
        std::string_view message;  ///< valid until the next call; empty unless kOk
    };
    /// `payload` as it was in the frames. Stops as soon as more than `limit` bytes come out
    /// (kTooLarge). Takes any number of DEFLATE blocks, BFINAL ones too; kCorrupt for anything else,
    /// also for a stream that ends inside a block.
    [[nodiscard]] Outcome inflate(std::string_view payload, std::size_t limit);

private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

}  // namespace parley::wire
