#include "gateway/proxy_gate.h"

#include "gateway/core.h"
#include "wire/proxy_header.h"

namespace parley::gateway {

ProxyGate::ProxyGate(Core& core, const Door& door)
    : core_(core), door_(door), timeout_(rt::Timer::of<&ProxyGate::on_timeout>(this)) {}

void ProxyGate::on_open(rt::Connection& connection) {
    connection_ = &connection;
    core_.loop().arm(timeout_, core_.options().handshake_time);
    if (!core_.options().proxies.trusts(connection.peer_address())) refuse("not from a trusted proxy");
}

std::size_t ProxyGate::on_data(rt::Connection& connection, std::span<char> bytes) {
    const auto header = wire::ProxyHeader::parse({bytes.data(), bytes.size()});
    switch (header.step) {
        case wire::ProxyHeader::Step::kNeedMore: return 0;
        case wire::ProxyHeader::Step::kFault: refuse(header.fault); return bytes.size();
        case wire::ProxyHeader::Step::kDone: break;
    }
    timeout_.cancel();
    core_.serve_http(connection, {&door_, header.source ? header.source->text() : std::string{}});
    return header.size;
}

void ProxyGate::on_end_of_input(rt::Connection&) { refuse("it ended before its PROXY header"); }

void ProxyGate::on_closed(rt::Connection&) { timeout_.cancel(); }

void ProxyGate::on_timeout() { refuse("no PROXY header in time"); }

void ProxyGate::refuse(std::string_view why) {
    core_.refuse_proxy_header(connection_->peer_address(), why);
    connection_->abort();
}

}  // namespace parley::gateway
