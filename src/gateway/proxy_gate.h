#pragma once
#include <string_view>

#include "gateway/door.h"
#include "rt/connection.h"

namespace parley::gateway {

class Core;

/// Reads the PROXY header of a connection that came by a door where each has one, and hands the connection on.
///
/// Thread: core-local. Owned by its connection.
/// Limit:  4 KiB, within Options::handshake_time.
/// Fails:  a peer that is no trusted proxy, a header that is bad or late: the connection is closed without an answer,
///         and Core::refuse_proxy_header() hears why.
class ProxyGate final : public rt::Connection::Handler {
public:
    ProxyGate(Core& core, const Door& door);
    void on_open(rt::Connection& connection) override;
    std::size_t on_data(rt::Connection& connection, std::span<char> bytes) override;
    void on_end_of_input(rt::Connection& connection) override;
    void on_closed(rt::Connection& connection) override;

private:
    void on_timeout();
    void refuse(std::string_view why);

    Core& core_;
    const Door& door_;
    rt::Connection* connection_ = nullptr;
    rt::Timer timeout_;
};

}  // namespace parley::gateway
