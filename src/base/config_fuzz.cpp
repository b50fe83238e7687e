#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/config.h"

/// Any bytes as a configuration file: an answer, and what show() prints of a good one loads again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto config = parley::Config::load_text(text, "f.toml", {});
    if (!config) {
        if (config.error().message.empty()) std::abort();
        return 0;
    }
    const auto secrets_masked = config->show();
    if (secrets_masked.find("********") != std::string::npos) return 0;
    if (!parley::Config::load_text(secrets_masked, "g.toml", {})) std::abort();
    return 0;
}
