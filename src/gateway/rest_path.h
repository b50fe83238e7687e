#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley::gateway {

/// The values of a pattern's `{…}` segments where `segments` fit it; nullopt where they do not.
/// `/api/rooms/{room}/read` fits the segments `api`, `rooms`, `r-42`, `read` and gives `r-42`.
[[nodiscard]] std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                                 std::span<const std::string> segments);

/// GET routes answer HEAD too.
[[nodiscard]] bool takes_method(std::string_view route_method, std::string_view method) noexcept;

/// The value of `Allow` for what the routes at one path take: `GET, HEAD, POST`.
[[nodiscard]] std::string allow_field(std::span<const std::string_view> route_methods);

}  // namespace parley::gateway
