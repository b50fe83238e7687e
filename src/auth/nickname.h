#pragma once
#include <string>
#include <string_view>

namespace parley::auth {

/// `text` as other people may be shown it: control, line-breaking and text-direction characters taken out, white
/// space at the ends cut, at most 64 characters (code points). Empty when nothing is left or it is not valid UTF-8.
[[nodiscard]] std::string clean_nickname(std::string_view text);

}  // namespace parley::auth
