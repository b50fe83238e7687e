#pragma once
#include <sys/socket.h>

#include <string>

#include "base/result.h"
#include "bench/line.h"

namespace parley::bench {

/// Where connections go.
struct Target {
    sockaddr_storage address{};
    socklen_t address_size = 0;
    Line::Wire wire = Line::Wire::kPlain;
    std::string host;  ///< HOST:PORT, for the Host header
    std::string path;  ///< empty: the dialect's own
};

/// `HOST:PORT`, `ws://HOST:PORT/PATH`, `wss://` over TLS, `tcp://HOST:PORT`. Error: a line for the user.
[[nodiscard]] Result<Target> resolve(const std::string& url);
/// As many descriptors as the machine allows; the number.
[[nodiscard]] std::size_t raise_descriptor_limit();

}  // namespace parley::bench
