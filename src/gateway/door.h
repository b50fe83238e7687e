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
    bool for_servers = false;     ///< the other servers of the fleet bring what their clients asked
};

/// How a connection came in. Borrows its door.
struct Arrival {
    const Door* door;
    std::string peer{};   ///< the client by the PROXY header or another server; empty: whom the socket is connected to
    bool secure = false;  ///< that client speaks TLS with the other server
};

}  // namespace parley::gateway
