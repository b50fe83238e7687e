#include "base/logger.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "base/clock.h"

namespace parley::logger {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 5> kHumanNames{"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
constexpr std::array<std::string_view, 3> kFormatNames{"auto", "human", "json"};

/// Keeps lines instead of writing them; Capture reads it.
class MemorySink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::string text() {
        const std::lock_guard lock{mutex_};
        return text_;
    }
    void clear() {
        const std::lock_guard lock{mutex_};
        text_.clear();
    }

private:
    void sink_it_(const spdlog::details::log_msg& line) override {
        text_.append(line.payload.data(), line.payload.size());
        text_ += '\n';
    }
    void flush_() override {}
    std::string text_;
};

struct State {
    std::atomic<Level> least{Level::kInfo};
    std::atomic<Format> format{isatty(STDERR_FILENO) == 1 ? Format::kHuman : Format::kJson};
    std::atomic<bool> captured{false};
    MemorySink memory;
    spdlog::logger out{"parley", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

    State() {
        out.set_pattern("%v");
        out.set_level(spdlog::level::trace);
    }
};

/// Never destroyed: threads may log while the process ends.
State& state() {
    static State* const instance = new State;
    return *instance;
}

bool is_base64url(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// Length of the valid UTF-8 sequence at `text[at]`, 0 where there is none (RFC 3629).
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned first = byte(at);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0;
    }
    const unsigned second = byte(at + 1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
    return overlong || outside ? 0 : length;
}

/// Appends `text` as the inside of a JSON string: valid UTF-8, no control character, C1 included.
void append_clean(std::string& out, std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t length = sequence_length(text, i);
        const bool is_c1 = c == 0xc2 && length == 2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (length == 0) {
            out += "\\ufffd";
        } else if (c == '"' || c == '\\') {
            out += '\\';
            out += text[i];
        } else if (c == '\n') {
            out += "\\n";
        } else if (c < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04x}", c);
        } else if (is_c1) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[i + 1]));
        } else {
            out.append(text, i, length);
        }
        i += length == 0 ? 1 : length;
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    append_clean(out, text);
    out += '"';
}

bool needs_quotes(std::string_view text) {
    if (text.empty()) return true;
    for (const char c : text) {
        if (c == ' ' || c == '"' || c == '=') return true;
    }
    return false;
}

struct Value {
    std::string& out;
    bool always_quote;

    void operator()(std::string_view text) const {
        if (always_quote || needs_quotes(text)) return append_quoted(out, text);
        append_clean(out, text);
    }
    void operator()(std::int64_t n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
    void operator()(std::uint64_t n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
    void operator()(double n) const {
        // JSON has no infinity and no NaN.
        if (n != n || n - n != 0) return append_quoted(out, fmt::format("{}", n));
        fmt::format_to(std::back_inserter(out), "{:.6g}", n);
    }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

std::string human(Level level, WallTime time, std::string_view area, std::string_view text, Fields fields) {
    std::string out = fmt::format("{} {} {:<8} ", format_iso(time).substr(11, 12),
                                  kHumanNames[static_cast<std::size_t>(level)], area);
    append_clean(out, text);
    for (const Field& field : fields) {
        out += ' ';
        append_clean(out, field.key);
        out += '=';
        std::visit(Value{out, false}, field.value);
    }
    return out;
}

std::string json(Level level, WallTime time, std::string_view area, std::string_view text, Fields fields) {
    std::string out = fmt::format(R"({{"time":"{}","level":"{}","area":)", format_iso(time),
                                  kLevelNames[static_cast<std::size_t>(level)]);
    append_quoted(out, area);
    out += R"(,"text":)";
    append_quoted(out, text);
    for (const Field& field : fields) {
        out += ',';
        append_quoted(out, field.key);
        out += ':';
        std::visit(Value{out, true}, field.value);
    }
    out += '}';
    return out;
}

}  // namespace

void setup(Level least, Format format) {
    if (format == Format::kAuto) format = isatty(STDERR_FILENO) == 1 ? Format::kHuman : Format::kJson;
    state().format = format;
    state().least = least;
}

Level parse_level(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
        if (kLevelNames[i] == name) return static_cast<Level>(i);
    }
    return Level::kInfo;
}

Format parse_format(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kFormatNames.size(); ++i) {
        if (kFormatNames[i] == name) return static_cast<Format>(i);
    }
    return Format::kAuto;
}

bool enabled(Level level) noexcept {
    const State& now = state();
    return level >= now.least.load(std::memory_order_relaxed) || now.captured.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view area, std::string_view text, Fields fields) {
    if (!enabled(level)) return;
    State& now = state();
    const WallTime time = SystemClock{}.wall();
    if (now.captured.load(std::memory_order_acquire)) {
        const std::string line = redact(format_line(Format::kJson, level, time, area, text, fields));
        now.memory.log({"", spdlog::level::info, line});
        return;
    }
    now.out.info("{}",
                 redact(format_line(now.format.load(std::memory_order_relaxed), level, time, area, text, fields)));
}

std::string format_line(Format format, Level level, WallTime time, std::string_view area, std::string_view text,
                        Fields fields) {
    return format == Format::kJson ? json(level, time, area, text, fields) : human(level, time, area, text, fields);
}

std::string redact(std::string_view line) {
    static constexpr std::size_t kLongPart = 16;
    std::string out;
    out.reserve(line.size());
    for (std::size_t i = 0; i < line.size();) {
        std::size_t end = i;
        std::size_t parts = 0;
        bool all_long = true;
        while (parts < 3) {
            const std::size_t from = end;
            while (end < line.size() && is_base64url(line[end])) ++end;
            if (end == from) break;
            ++parts;
            all_long = all_long && end - from >= kLongPart;
            if (parts == 3 || end == line.size() || line[end] != '.') break;
            ++end;
        }
        // A JWT's header is an object: {" is eyJ, { followed by a space ey, by a newline ew.
        const auto start = line.substr(i, end - i);
        const bool has_header = (start.starts_with("ey") || start.starts_with("ew")) && start.size() >= 2 * kLongPart;
        if ((parts >= 2 && has_header) || (parts == 3 && all_long)) {
            out += "[token]";
            i = end;
            continue;
        }
        // Not a token from here: step over this run, or over one character outside any run.
        do out += line[i++];
        while (i < line.size() && is_base64url(line[i - 1]) && is_base64url(line[i]));
    }
    return out;
}

Capture::Capture() {
    state().memory.clear();
    state().captured = true;
}
Capture::~Capture() { state().captured = false; }
std::string Capture::text() const { return state().memory.text(); }

}  // namespace parley::logger
