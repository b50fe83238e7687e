#include "gateway/relay_gate.h"

#include "gateway/core.h"

namespace parley::gateway {

RelayGate::RelayGate(Core& core, const Door& door)
    : core_(core), door_(door), timeout_(rt::Timer::of<&RelayGate::on_timeout>(this)) {}

void RelayGate::on_open(rt::Connection& connection) {
    connection_ = &connection;
    core_.loop().arm(timeout_, core_.options().handshake_time);
}

std::size_t RelayGate::on_data(rt::Connection& connection, std::span<char> bytes) {
    const std::string_view arrived{bytes.data(), bytes.size()};
    return nonces_.owner.empty() ? greet(connection, arrived) : take_order(connection, arrived);
}

std::size_t RelayGate::greet(rt::Connection& connection, std::string_view bytes) {
    auto nonce = RelayWords::read_greeting(bytes);
    if (!nonce) {
        refuse(nonce.error().message);
        return bytes.size();
    }
    if (nonce->empty()) return 0;
    nonces_ = {std::move(*nonce), RelayWords::make_nonce()};
    const FleetPlace& place = *core_.services().fleet;
    connection.send_copy(place.words.proof(place.self.server, nonces_));
    return RelayWords::kGreeting;
}

std::size_t RelayGate::take_order(rt::Connection& connection, std::string_view bytes) {
    const Options& options = core_.options();
    // As Router::body_limit() and the limit of a head say.
    const std::size_t most = 8 * options.message.count + 2 * options.handshake_header.count;
    auto order = core_.services().fleet->words.read_order(bytes, nonces_, most);
    if (!order) {
        refuse(order.error().message);
        return bytes.size();
    }
    if (!*order) return 0;
    timeout_.cancel();
    auto& [client, size] = **order;
    core_.serve_http(connection, {&door_, std::move(client.address), client.secure});
    return size;
}

void RelayGate::on_end_of_input(rt::Connection&) { refuse("it ended before its request"); }

void RelayGate::on_closed(rt::Connection&) { timeout_.cancel(); }

void RelayGate::on_timeout() { refuse("no request in time"); }

void RelayGate::refuse(std::string_view why) {
    core_.services().counters.relays_refused.add();
    core_.refusals().note(Code::kAuthInvalid,
                          "fleet.listen, from " + connection_->peer_address() + ": " + std::string{why});
    connection_->abort();
}

}  // namespace parley::gateway
