#pragma once
#include <cstdint>

#include "cache/session_cache.h"
#include "gateway/relay_words.h"
#include "rt/listener.h"

namespace parley::gateway {

/// A server that takes requests from the others, and where.
struct Owner {
    std::uint64_t server = 0;  ///< made anew at each start of a server
    rt::Endpoint at{};
};

/// This server's place among those that bring each other requests. Immutable; any core may read it.
struct FleetPlace {
    Owner self;
    cache::SessionCache& cache;  ///< where all of them look whose a session is
    RelayWords words;
};

}  // namespace parley::gateway
