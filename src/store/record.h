#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/units.h"

namespace parley::store {

/// Writes one stored value: a version byte, then fields in order. Integers little-endian, text after its length.
class RecordWriter {
public:
    explicit RecordWriter(std::uint8_t version) { u8(version); }
    RecordWriter& u8(std::uint8_t value) { return number(value, 1); }
    RecordWriter& u64(std::uint64_t value) { return number(value, 8); }
    RecordWriter& time(WallTime value) { return u64(static_cast<std::uint64_t>(value.time_since_epoch().count())); }
    RecordWriter& text(std::string_view value) {
        number(value.size(), 4);
        bytes_ += value;
        return *this;
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    RecordWriter& value(Enum e) {
        return u8(static_cast<std::uint8_t>(e));
    }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
    RecordWriter& number(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
        return *this;
    }
    std::string bytes_;
};

/// Reads what RecordWriter wrote. Past the end every field reads as zero and ok() turns false for good.
class RecordReader {
public:
    explicit RecordReader(std::string_view bytes) : rest_(bytes) { version_ = u8(); }
    [[nodiscard]] std::uint8_t version() const { return version_; }
    /// All fields were there.
    [[nodiscard]] bool ok() const { return ok_; }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint64_t u64() { return number(8); }
    WallTime time() { return WallTime{milliseconds{static_cast<std::int64_t>(u64())}}; }
    std::string text() { return std::string{take(number(4))}; }
    template <class Enum>
    Enum value() {
        return static_cast<Enum>(u8());
    }

private:
    std::uint64_t number(std::size_t width) {
        const std::string_view bytes = take(width);
        std::uint64_t value = 0;
        for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
        return value;
    }
    std::string_view take(std::uint64_t size) {
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::string_view rest_;
    bool ok_ = true;
    std::uint8_t version_ = 0;
};

}  // namespace parley::store
