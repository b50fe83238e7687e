#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/units.h"

/// What the server tells its operator: one line an event on stderr, human on a terminal, JSON
/// otherwise. Any thread may log; a line is written whole. Control characters are escaped, and
/// whatever looks like a token is blanked, so that a careless caller leaks nothing.
namespace parley::logger {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class Format : std::uint8_t { kAuto, kHuman, kJson };

/// `{"room", id.str()}`, `{"bytes", 17}`. Borrows its texts for the call.
struct Field {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
    std::string_view key;
    Value value;

    Field(std::string_view k, std::string_view text) : key(k), value(text) {}
    Field(std::string_view k, const std::string& text) : key(k), value(std::string_view{text}) {}
    Field(std::string_view k, const char* text) : key(k), value(std::string_view{text}) {}
    Field(std::string_view k, bool flag) : key(k), value(flag) {}
    Field(std::string_view k, std::signed_integral auto n) : key(k), value(std::int64_t{n}) {}
    Field(std::string_view k, std::unsigned_integral auto n) : key(k), value(std::uint64_t{n}) {}
    Field(std::string_view k, std::floating_point auto n) : key(k), value(double{n}) {}
    Field(std::string_view k, milliseconds time) : key(k), value(std::int64_t{time.count()}) {}
    Field(std::string_view k, Bytes size) : key(k), value(std::uint64_t{size.count}) {}
};
using Fields = std::initializer_list<Field>;

/// Before the first call: kInfo, kAuto. May be called again.
void setup(Level least, Format format);
/// The value of the key logging.level, logging.format; an unknown name is the default.
[[nodiscard]] Level parse_level(std::string_view name) noexcept;
[[nodiscard]] Format parse_format(std::string_view name) noexcept;
/// For callers whose fields cost something to make.
[[nodiscard]] bool enabled(Level level) noexcept;

/// `area` is the folder that speaks: "gateway". `text` is a fixed sentence; what varies is a field.
void write(Level level, std::string_view area, std::string_view text, Fields fields);
inline void trace(std::string_view area, std::string_view text, Fields fields = {}) {
    write(Level::kTrace, area, text, fields);
}
inline void debug(std::string_view area, std::string_view text, Fields fields = {}) {
    write(Level::kDebug, area, text, fields);
}
inline void info(std::string_view area, std::string_view text, Fields fields = {}) {
    write(Level::kInfo, area, text, fields);
}
inline void warn(std::string_view area, std::string_view text, Fields fields = {}) {
    write(Level::kWarn, area, text, fields);
}
inline void error(std::string_view area, std::string_view text, Fields fields = {}) {
    write(Level::kError, area, text, fields);
}

/// The line write() makes. Not kAuto.
[[nodiscard]] std::string format_line(Format format, Level level, WallTime time, std::string_view area,
                                      std::string_view text, Fields fields);
/// `line` with `[token]` where something looks like a JWT, cut ones included.
[[nodiscard]] std::string redact(std::string_view line);

/// While it lives, lines go into it as JSON instead of to stderr, all levels. For tests; one at a time.
class Capture {
public:
    Capture();
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    [[nodiscard]] std::string text() const;
};

}  // namespace parley::logger
