#pragma once
#include <memory>

#include "base/function.h"
#include "gateway/exchange.h"
#include "gateway/fleet_place.h"

namespace parley::gateway {

class Core;

/// A client's request on its way to the server that owns its session, and the answer on its way back, byte for byte as
/// it comes. The answer says that the connection ends with it, and so it does.
///
/// Thread: core-local. Its two connections hold it.
/// Limit:  what waits for one side stops the reading of the other (ConnectionSet::send_buffer()); kReach until the
///         owner has proved itself.
/// Fails:  with `unreachable` while nothing of an answer has come: there is no such server any more, or it is cut off.
///         Later the client's connection breaks off where the answer did. A client that goes takes the request along.
class Relay final : public std::enable_shared_from_this<Relay> {
public:
    static constexpr milliseconds kReach{3'000};
    /// kWaits: the answer may take long, and a client that ends its side has gone.
    enum class Kind : std::uint8_t { kWaits, kAnswered };

    static void begin(Core& core, ExchangeRef exchange, const Owner& owner, Kind kind, Task unreachable);
    Relay(Core& core, ExchangeRef exchange, const Owner& owner, Kind kind, Task unreachable);

private:
    class ClientEnd;
    class OwnerEnd;
    void connect();
    std::size_t on_owner_data(std::string_view bytes);
    void pass(std::string_view bytes);
    void on_owner_end();
    void on_owner_gone();
    void on_client_gone();
    void on_timeout();
    void fail_because(std::string_view why);
    void leave_owner();

    Core& core_;
    ExchangeRef exchange_;  ///< null once something of the answer has come, or there will be none
    const Owner target_;
    const Kind kind_;
    Task unreachable_;
    const std::string nonce_ = RelayWords::make_nonce();
    bool proved_ = false;
    rt::Connection* client_ = nullptr;  ///< once something of the answer has come, until it goes
    rt::Connection* owner_ = nullptr;   ///< until it goes
    rt::Timer timeout_;
};

/// The bytes of a request as another server shall read it: whole, and the last of its connection.
[[nodiscard]] std::string relayed_bytes(const wire::HttpRequest& request);

}  // namespace parley::gateway
