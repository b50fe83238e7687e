#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"

namespace parley {

/// Puts numbers (little-endian) and texts (their length before them) behind each other.
class ByteWriter {
public:
    void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value, int bytes = 8) {
        for (int i = 0; i < bytes; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    void time(WallTime value) { number(static_cast<std::uint64_t>(value.time_since_epoch().count())); }
    void text(std::string_view value) {
        number(value.size(), 4);
        out_ += value;
    }
    void reserve(std::size_t bytes) { out_.reserve(out_.size() + bytes); }
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// Reads what ByteWriter wrote. After the first thing that is not there everything reads as empty and ok() is false.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool is_at_end() const { return left_.empty(); }

    std::uint64_t number(std::size_t bytes = 8) {
        std::uint64_t out = 0;
        const auto part = take(bytes);
        for (std::size_t i = 0; i < part.size(); ++i) {
            out |= std::uint64_t{static_cast<std::uint8_t>(part[i])} << (8 * i);
        }
        return out;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
    WallTime time() { return WallTime{milliseconds{static_cast<std::int64_t>(number())}}; }
    std::string text() { return std::string{take(number(4))}; }

private:
    std::string_view take(std::size_t bytes) {
        ok_ = ok_ && bytes <= left_.size();
        if (!ok_) return {};
        const auto out = left_.substr(0, bytes);
        left_.remove_prefix(bytes);
        return out;
    }
    std::string_view left_;
    bool ok_ = true;
};

}  // namespace parley
