#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace parley::wire {

/// The first cookie of that name in a Cookie field, without surrounding quotes. Names compare with
/// case (RFC 6265 5.4). Views into `header`.
[[nodiscard]] std::optional<std::string_view> cookie(std::string_view header, std::string_view name) noexcept;

struct CookieAttributes {
    std::optional<seconds> max_age = std::nullopt;  ///< none: until the browser closes; 0: delete it
    std::string_view path = "/";
    bool secure = false;  ///< true whenever the page came over TLS
};

/// The value of a Set-Cookie field: always HttpOnly and SameSite=Strict.
/// Error: kInternal when name, value or path hold what a cookie cannot carry.
[[nodiscard]] Result<std::string> set_cookie(std::string_view name, std::string_view value,
                                             const CookieAttributes& attributes = {});

}  // namespace parley::wire
