#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"

/// The text forms of configuration values; used by config.cpp, and by main for durations on the command line.
namespace parley::config_detail {

/// Reads `text` as the key's type, its bounds and check included. The message says what is wrong
/// with the value; it does not name the key, and holds the value only where it is no secret.
[[nodiscard]] Result<ConfigValue> parse_value(const KeySpec& spec, std::string_view text);
/// The form parse_value() reads: `30m`, `128KiB`, `a, b`.
[[nodiscard]] std::string format_value(const ConfigValue& value);
/// What the documentation calls the type of the key.
[[nodiscard]] std::string type_name(const KeySpec& spec);

/// A name written wrongly → the candidate it most likely means, or nothing.
[[nodiscard]] std::string_view nearest(std::string_view name, const std::vector<std::string>& candidates);

/// What kind of TOML value a text came from: `limits.max_sessions = "5"` is not a number.
enum class TomlKind : std::uint8_t { kText, kNumber, kBool, kList };
struct TomlSetting {
    std::string name;
    std::string text;  ///< a list joined by commas
    TomlKind kind;
    std::size_t line;
};
/// Every leaf of a TOML file, tables flattened to dotted names, in the file's order of lines.
/// Error: what is no TOML, with the line.
[[nodiscard]] Result<std::vector<TomlSetting>> read_toml(std::string_view text, std::string_view file_name);

}  // namespace parley::config_detail
