#include "gateway/relay.h"

#include <algorithm>
#include <array>

#include "gateway/core.h"
#include "rt/connect.h"

namespace parley::gateway {
namespace {

/// What is of one connection only, or is said anew.
constexpr std::array<std::string_view, 9> kOfTheConnection{
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "expect",
    "te",         "trailer",    "upgrade"};

bool goes_along(std::string_view name) {
    return std::ranges::none_of(kOfTheConnection, [&](std::string_view own) { return wire::iequals(own, name); });
}

}  // namespace

std::string relayed_bytes(const wire::HttpRequest& request) {
    std::string out;
    out.reserve(request.target.size() + request.body.size() + 1024);
    out.append(request.method).append(" ").append(request.target).append(" HTTP/1.");
    out.append(std::to_string(request.version_minor)).append("\r\n");
    for (const wire::HttpHeader& field : request.headers) {
        if (goes_along(field.name)) out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    out.append("Connection: close\r\nContent-Length: ").append(std::to_string(request.body.size()));
    out.append("\r\n\r\n").append(request.body);
    return out;
}

/// The client's connection, once an answer has begun.
class Relay::ClientEnd final : public rt::Connection::Handler {
public:
    explicit ClientEnd(std::shared_ptr<Relay> relay) : relay_(std::move(relay)) {}
    void on_open(rt::Connection& connection) override { relay_->client_ = &connection; }
    /// The answer is the last of this connection; what was sent behind the request is asked again by its client.
    std::size_t on_data(rt::Connection&, std::span<char> bytes) override { return bytes.size(); }
    void on_end_of_input(rt::Connection& connection) override {
        if (relay_->kind_ == Kind::kWaits) connection.abort();
    }
    void on_drained(rt::Connection&) override {
        if (relay_->owner_ != nullptr) relay_->owner_->resume_reading();
    }
    void on_closed(rt::Connection&) override { relay_->on_client_gone(); }

private:
    const std::shared_ptr<Relay> relay_;
};

class Relay::OwnerEnd final : public rt::Connection::Handler {
public:
    explicit OwnerEnd(std::shared_ptr<Relay> relay) : relay_(std::move(relay)) {}
    void on_open(rt::Connection& connection) override {
        relay_->owner_ = &connection;
        connection.send_copy(RelayWords::greeting(relay_->nonce_));
    }
    std::size_t on_data(rt::Connection&, std::span<char> bytes) override {
        return relay_->on_owner_data({bytes.data(), bytes.size()});
    }
    void on_end_of_input(rt::Connection&) override { relay_->on_owner_end(); }
    void on_closed(rt::Connection&) override { relay_->on_owner_gone(); }

private:
    const std::shared_ptr<Relay> relay_;
};

Relay::Relay(Core& core, ExchangeRef exchange, const Owner& owner, Kind kind, Task unreachable)
    : core_(core),
      exchange_(std::move(exchange)),
      target_(owner),
      kind_(kind),
      unreachable_(std::move(unreachable)),
      timeout_(rt::Timer::of<&Relay::on_timeout>(this)) {}

void Relay::begin(Core& core, ExchangeRef exchange, const Owner& owner, Kind kind, Task unreachable) {
    std::make_shared<Relay>(core, std::move(exchange), owner, kind, std::move(unreachable))->connect();
}

void Relay::connect() {
    if (kind_ == Kind::kWaits && exchange_->has_input_ended()) {
        if (auto* const connection = exchange_->connection()) connection->abort();
        return;
    }
    const auto fd = rt::begin_connect(target_.at);
    if (!fd) {
        fail_because(fd.error().message);
        return;
    }
    // Whichever of the two connections goes last destroys this.
    core_.connections().open({.fd = *fd, .is_new = false}, std::make_unique<OwnerEnd>(shared_from_this()));
    core_.loop().arm(timeout_, kReach);
    exchange_->on_gone([self = weak_from_this()] {
        if (const auto relay = self.lock()) relay->on_client_gone();
    });
    if (kind_ != Kind::kWaits) return;
    exchange_->on_end_of_input([self = weak_from_this()] {
        const auto relay = self.lock();
        if (relay != nullptr && relay->exchange_ != nullptr) relay->exchange_->connection()->abort();
    });
}

std::size_t Relay::on_owner_data(std::string_view bytes) {
    if (proved_) {
        pass(bytes);
        return bytes.size();
    }
    // Before its gate reads anything it answers so whom it turns away.
    if (bytes.starts_with("HTTP/1.1 503")) {
        fail_because("it has as many connections as it may have");
        return bytes.size();
    }
    if (bytes.size() < RelayWords::kProof) return 0;
    const RelayWords& words = core_.services().fleet->words;
    auto proof = words.read_proof(bytes, nonce_);
    if (!proof) {
        fail_because(proof.error().message);
        return bytes.size();
    }
    if (proof->owner != target_.server) {
        fail_because("another server is there now");
        return bytes.size();
    }
    if (exchange_ == nullptr) return bytes.size();
    proved_ = true;
    timeout_.cancel();
    owner_->send_copy(words.order({exchange_->peer(), exchange_->is_secure()}, relayed_bytes(exchange_->request()),
                                  {nonce_, std::move(proof->nonce)}));
    return RelayWords::kProof;
}

void Relay::pass(std::string_view bytes) {
    if (exchange_ != nullptr) {
        const auto exchange = std::exchange(exchange_, nullptr);
        core_.services().counters.relayed.add();
        exchange->hand_over(std::make_unique<ClientEnd>(shared_from_this()));
    }
    if (client_ == nullptr) return;
    client_->send_copy(bytes);
    if (!client_->can_take()) owner_->pause_reading();
}

void Relay::on_owner_end() {
    if (exchange_ != nullptr) {
        fail_because("it ended without an answer");
    } else if (client_ != nullptr) {
        client_->finish();
    }
    leave_owner();
}

void Relay::on_owner_gone() {
    owner_ = nullptr;
    timeout_.cancel();
    if (exchange_ != nullptr) {
        fail_because("it cannot be reached");
    } else if (client_ != nullptr && !client_->is_closing()) {
        client_->abort();
    }
}

void Relay::on_client_gone() {
    client_ = nullptr;
    exchange_ = nullptr;
    leave_owner();
}

void Relay::on_timeout() { fail_because("it does not answer"); }

void Relay::fail_because(std::string_view why) {
    timeout_.cancel();
    const auto exchange = std::exchange(exchange_, nullptr);
    leave_owner();
    if (exchange == nullptr) return;
    exchange->on_gone(nullptr);
    exchange->on_end_of_input(nullptr);
    core_.refusals().note(Code::kInternal,
                          "the server at " + target_.at.text() + " that owns a SockJS session: " + std::string{why});
    unreachable_();
}

void Relay::leave_owner() {
    timeout_.cancel();
    if (owner_ != nullptr) owner_->abort();
}

}  // namespace parley::gateway
