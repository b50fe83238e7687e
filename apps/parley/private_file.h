#pragma once
#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace parley::app {

/// Writes `text` to a file of mode 0600, aside and renamed: a crash in between leaves no half of it.
/// Error: the system's reason, naming the file.
[[nodiscard]] Result<> write_private_file(const std::filesystem::path& path, std::string_view text);

}  // namespace parley::app
