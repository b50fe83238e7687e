#pragma once
#include <sys/socket.h>

#include <string>

#include "base/result.h"

namespace parley::bench {

/// Where connections go.
struct Target {
    sockaddr_storage address{};
    socklen_t address_size = 0;
    std::string host;  ///< HOST:PORT, for the Host header
    std::string path;  ///< empty: the dialect's own
};

/// `HOST:PORT`, `ws://HOST:PORT/PATH`, `tcp://HOST:PORT`. Error: a line for the user.
[[nodiscard]] Result<Target> resolve(const std::string& url);
/// As many descriptors as the machine allows; the number.
[[nodiscard]] std::size_t raise_descriptor_limit();

}  // namespace parley::bench
