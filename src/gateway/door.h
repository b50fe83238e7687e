#pragma once
#include <string>

#include "rt/listener.h"

namespace parley::gateway {

/// One way in, as the operator configured it. Immutable while the server runs; any core may read it.
struct Door {
    rt::Endpoint at{};
    bool tls = false;
    bool proxy_protocol = false;  ///< each connection begins with a PROXY header
    bool for_operators = false;   ///< health, metrics and the admin API, behind the admin token
};

/// How a connection came in. Borrows its door.
struct Arrival {
    const Door* door;
    std::string peer{};  ///< the client by the PROXY header; empty: whoever the socket is connected to
};

}  // namespace parley::gateway
