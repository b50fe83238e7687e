#include "base/config_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

namespace parley::config_detail {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                                    Unit{"ms", 1}};
constexpr std::array kSizeUnits{Unit{"TiB", std::int64_t{1} << 40}, Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20},
                                Unit{"KiB", 1 << 10}, Unit{"B", 1}};

std::string_view trim(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// `30m` → 1 800 000; a bare number counts in the smallest unit.
std::optional<std::int64_t> with_unit(std::string_view text, std::span<const Unit> units) {
    const auto digits = text.find_first_not_of("0123456789");
    const auto number = whole_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    if (digits == std::string_view::npos) return number;
    for (const Unit& unit : units) {
        std::int64_t product = 0;
        if (text.substr(digits) == unit.name && !__builtin_mul_overflow(*number, unit.factor, &product)) return product;
    }
    return std::nullopt;
}

std::string format_with_unit(std::int64_t number, std::span<const Unit> units) {
    if (number == 0) return "0";
    for (const Unit& unit : units) {
        if (number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
    }
    return fmt::format("{}", number);
}

ConfigList split(std::string_view text) {
    ConfigList out;
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (const auto element = trim(text.substr(0, comma)); !element.empty()) out.emplace_back(element);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return out;
}

/// A value as an error message shows it: short and free of control characters.
std::string quoted(const KeySpec& spec, std::string_view text) {
    if (spec.secrecy == Secrecy::kSecret) return "the value";
    std::string out{text.substr(0, 60)};
    std::replace_if(
        out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return fmt::format("\"{}\"{}", out, text.size() > 60 ? "…" : "");
}

auto refuse(const KeySpec& spec, std::string_view text, std::string_view expected) {
    return fail(Code::kBadRequest, fmt::format("{} is not {}", quoted(spec, text), expected));
}

std::string form(ConfigValue value, std::int64_t number) {
    if (std::holds_alternative<milliseconds>(value)) value = milliseconds{number};
    if (std::holds_alternative<Bytes>(value)) value = Bytes{static_cast<std::size_t>(number)};
    return value.index() == kConfigType<std::int64_t> || std::holds_alternative<Rate>(value) ? fmt::format("{}", number)
                                                                                             : format_value(value);
}

Result<void> check_bounds(const KeySpec& spec, const ConfigValue& value, std::int64_t number, std::string_view text) {
    if (number >= spec.min && number <= spec.max) return {};
    if (spec.max == std::numeric_limits<std::int64_t>::max()) {
        return refuse(spec, text, fmt::format("at least {}", form(value, spec.min)));
    }
    return refuse(spec, text, fmt::format("between {} and {}", form(value, spec.min), form(value, spec.max)));
}

Result<void> check_text(const KeySpec& spec, std::string_view text) {
    if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), text) == spec.choices.end()) {
        // What another version may know is not called wrong, unless it looks like one that this version knows.
        const bool may_be_known =
            spec.name.ends_with(".kind") && nearest(text, {spec.choices.begin(), spec.choices.end()}).empty();
        return refuse(
            spec, text,
            fmt::format("{}{}", may_be_known ? "built in this version: " : "one of ", fmt::join(spec.choices, ", ")));
    }
    if (const char* problem = spec.check != nullptr ? spec.check(text) : nullptr) {
        return fail(Code::kBadRequest, fmt::format("{}: {}", quoted(spec, text), problem));
    }
    return {};
}

Result<ConfigValue> bounded(const KeySpec& spec, ConfigValue value, std::int64_t number, std::string_view text) {
    if (auto ok = check_bounds(spec, value, number, text); !ok) return fail(ok.error());
    return value;
}

Result<ConfigValue> parse_rate(const KeySpec& spec, std::string_view text) {
    const auto slash = text.find('/');
    const auto count = whole_number(text.substr(0, slash));
    const auto per = slash == std::string_view::npos ? std::nullopt : with_unit(text.substr(slash + 1), kDurationUnits);
    if (!count || *count > std::numeric_limits<std::uint32_t>::max() || !per || *per < 1 || *per > 86'400'000) {
        return refuse(spec, text, "a rate such as 60/10s or 300/1m");
    }
    return bounded(spec, Rate{static_cast<std::uint32_t>(std::max<std::int64_t>(*count, 0)), milliseconds{*per}},
                   *count, text);
}

struct Parser {
    const KeySpec& spec;
    std::string_view text;

    Result<ConfigValue> operator()(const std::string&) const {
        if (auto ok = check_text(spec, text); !ok) return fail(ok.error());
        return ConfigValue{std::string{text}};
    }
    Result<ConfigValue> operator()(std::int64_t) const {
        const auto number = whole_number(trim(text));
        if (!number) return refuse(spec, text, "a whole number");
        return bounded(spec, *number, *number, text);
    }
    Result<ConfigValue> operator()(bool) const {
        if (text != "true" && text != "false") return refuse(spec, text, "true or false");
        return ConfigValue{text == "true"};
    }
    Result<ConfigValue> operator()(milliseconds) const {
        const auto number = with_unit(trim(text), kDurationUnits);
        if (!number) return refuse(spec, text, "a duration such as 500ms, 10s, 30m, 12h or 7d");
        return bounded(spec, milliseconds{*number}, *number, text);
    }
    Result<ConfigValue> operator()(Bytes) const {
        const auto number = with_unit(trim(text), kSizeUnits);
        if (!number) return refuse(spec, text, "a size such as 4096, 128KiB, 16MiB or 2GiB");
        return bounded(spec, Bytes{static_cast<std::size_t>(*number)}, *number, text);
    }
    Result<ConfigValue> operator()(Rate) const { return parse_rate(spec, trim(text)); }
    Result<ConfigValue> operator()(const ConfigList&) const {
        ConfigList list = split(text);
        for (const auto& element : list) {
            if (auto ok = check_text(spec, element); !ok) return fail(ok.error());
        }
        return ConfigValue{std::move(list)};
    }
};

struct Formatter {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(milliseconds time) const { return format_with_unit(time.count(), kDurationUnits); }
    std::string operator()(Bytes size) const {
        return format_with_unit(static_cast<std::int64_t>(size.count), kSizeUnits);
    }
    std::string operator()(Rate rate) const { return fmt::format("{}/{}", rate.count, (*this)(rate.per)); }
    std::string operator()(const ConfigList& list) const { return fmt::format("{}", fmt::join(list, ", ")); }
};

template <std::size_t... I>
ConfigValue empty_of(std::size_t index, std::index_sequence<I...>) {
    ConfigValue value;
    (void)((I == index && (value.emplace<I>(), true)) || ...);
    return value;
}

ConfigValue empty_of(const KeySpec& spec) {
    return empty_of(spec.type, std::make_index_sequence<std::variant_size_v<ConfigValue>>{});
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

Result<ConfigValue> parse_value(const KeySpec& spec, std::string_view text) {
    return std::visit(Parser{spec, text}, empty_of(spec));
}

std::string format_value(const ConfigValue& value) { return std::visit(Formatter{}, value); }

std::string type_name(const KeySpec& spec) {
    static constexpr std::array<std::string_view, std::variant_size_v<ConfigValue>> kNames{
        "text", "number", "true/false", "duration", "size", "rate", "list"};
    if (!spec.choices.empty()) return fmt::format("{}", fmt::join(spec.choices, ", "));
    return std::string{kNames[spec.type]};
}

std::string_view nearest(std::string_view name, const std::vector<std::string>& candidates) {
    if (name.size() > 100) return {};
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(2, name.size() / 4) + 1;
    for (const auto& candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace parley::config_detail
