#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace parley {

using ConfigList = std::vector<std::string>;
using ConfigValue = std::variant<std::string, std::int64_t, bool, milliseconds, Bytes, Rate, ConfigList>;

/// Where T stands among ConfigValue's alternatives.
template <class T, class... Ts>
consteval std::size_t alternative_index(const std::variant<Ts...>*) {
    std::size_t index = 0;
    (void)((std::is_same_v<T, Ts> || (++index, false)) || ...);
    return index;
}
template <class T>
inline constexpr std::size_t kConfigType = alternative_index<T>(static_cast<const ConfigValue*>(nullptr));

enum class Secrecy : bool { kOpen, kSecret };

/// What is known about a key without its C++ type. Texts are in the form a user writes them.
struct KeySpec {
    std::string_view name;
    std::string_view default_text;
    std::string_view help;
    /// Bounds of a number, of a duration in milliseconds, of a size in bytes.
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    /// What a text may be; empty: anything `check` lets pass.
    std::span<const std::string_view> choices{};
    /// Says what is wrong with a text or one element of a list, or nullptr.
    const char* (*check)(std::string_view) = nullptr;
    Secrecy secrecy = Secrecy::kOpen;
    std::size_t type = 0;  ///< index in ConfigValue, set by Key
};

/// A key whose value is a T, one of ConfigValue's alternatives. The keys are in config_keys.h.
template <class T>
struct Key {
    KeySpec spec;
    constexpr explicit Key(KeySpec s) noexcept : spec(s) { spec.type = kConfigType<T>; }
};

/// One key given on the command line: `--set name=value` or a shorthand such as `--listen`.
struct ConfigFlag {
    std::string name;
    std::string value;
    std::string flag = "--set";  ///< how error messages and `config show` name it
};
/// Splits the argument of `--set`. Error: no `=`.
[[nodiscard]] Result<ConfigFlag> parse_set_flag(std::string_view argument);

/// Where a configuration comes from; a later one wins: file, environment, flags.
struct ConfigSources {
    std::optional<std::filesystem::path> file{};
    std::vector<std::string> environment{};  ///< `NAME=value`; names outside PARLEY_ are passed over
    std::vector<ConfigFlag> flags{};
};
/// The PARLEY_ variables of an environment as main() gets it, without those of the scripts in tools/ and tests/
/// (PARLEY_BIN, PARLEY_TIER, PARLEY_TEST_…).
[[nodiscard]] std::vector<std::string> parley_environment(const char* const* environ);
/// `auth.secret` → `PARLEY_AUTH_SECRET`.
[[nodiscard]] std::string environment_name(std::string_view key);

/// Everything an operator can set, checked. Immutable once loaded; any thread may read.
/// Fails: load() answers the first problem as one line that names key, place and what is expected;
/// a line never holds the value of a secret.
class Config {
public:
    [[nodiscard]] static Result<Config> load(const ConfigSources& sources);
    /// As load(), with the file's text given; `file_name` is for messages.
    [[nodiscard]] static Result<Config> load_text(std::string_view toml, std::string_view file_name,
                                                  const ConfigSources& rest);

    /// Aborts when the key is not in the table of config_keys.cpp.
    template <class T>
    [[nodiscard]] const T& get(const Key<T>& key) const {
        return std::get<T>(setting(key.spec).value);
    }
    /// `parley.toml:12`, `environment PARLEY_LISTEN`, `--set`, `default`.
    template <class T>
    [[nodiscard]] const std::string& origin(const Key<T>& key) const {
        return setting(key.spec).origin;
    }
    /// True where nobody set it. Some defaults depend on the listener; their help says so.
    template <class T>
    [[nodiscard]] bool is_default(const Key<T>& key) const {
        return setting(key.spec).from_default;
    }

    /// What is in force as TOML, each line with its origin as a comment; secrets are masked.
    [[nodiscard]] std::string show() const;
    /// The keys as a Markdown table: docs/configuration.md holds it, a test compares.
    [[nodiscard]] static std::string reference();

private:
    struct Setting {
        ConfigValue value;
        std::string origin;
        bool from_default = true;
    };
    Config();
    [[nodiscard]] const Setting& setting(const KeySpec& spec) const;
    Result<void> set(std::string_view name, const std::string& origin, std::string_view text);
    Result<void> apply(const ConfigSources& sources);
    [[nodiscard]] Result<void> check_together() const;

    std::vector<Setting> settings_;  // in the order of all_keys()
};

/// Every key there is, in the order of the documentation.
[[nodiscard]] std::span<const KeySpec* const> all_keys() noexcept;

}  // namespace parley
