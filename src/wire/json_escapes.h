#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::wire {

/// Finds `\uD800`–`\uDFFF` escapes that do not pair up. Works on any bytes; what a JSON parser makes
/// of the rest does not matter here, as a backslash only ever stands inside a string.

/// Offset of the backslash of the first such escape at or after `from`, which must not lie inside
/// an escape; npos for none.
[[nodiscard]] std::size_t find_lone_surrogate(std::string_view json, std::size_t from = 0) noexcept;
/// The text with `\ufffd` in their place; nullopt when there is none.
[[nodiscard]] std::optional<std::string> replace_lone_surrogates(std::string_view json);

}  // namespace parley::wire
