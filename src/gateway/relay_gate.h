#pragma once
#include <string_view>

#include "gateway/door.h"
#include "gateway/relay_words.h"
#include "rt/connection.h"

namespace parley::gateway {

class Core;

/// A request that another server of the fleet brings: proves who this server is, takes the order, and lets the request
/// be served as if its client had come here.
///
/// Thread: core-local. Owned by its connection.
/// Limit:  one request a connection, of no more bytes than a client may send; within Options::handshake_time.
/// Fails:  what is not of this fleet is closed without an answer, and the operator hears why, once a second.
class RelayGate final : public rt::Connection::Handler {
public:
    RelayGate(Core& core, const Door& door);
    void on_open(rt::Connection& connection) override;
    std::size_t on_data(rt::Connection& connection, std::span<char> bytes) override;
    void on_end_of_input(rt::Connection& connection) override;
    void on_closed(rt::Connection& connection) override;

private:
    std::size_t greet(rt::Connection& connection, std::string_view bytes);
    std::size_t take_order(rt::Connection& connection, std::string_view bytes);
    void on_timeout();
    void refuse(std::string_view why);

    Core& core_;
    const Door& door_;
    RelayWords::Nonces nonces_;  ///< empty until the greeting has come
    rt::Connection* connection_ = nullptr;
    rt::Timer timeout_;
};

}  // namespace parley::gateway
