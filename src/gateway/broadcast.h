#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "gateway/exchange.h"
#include "wire/flow.h"

namespace parley::gateway {

class BroadcastApp;
class Core;

/// Plain WebSocket at `/room`: a text from one goes to everybody who is connected, on every core. Nothing is stored.
///
/// Thread: core-local; the broadcasts of the other cores are reached through their mailboxes.
/// Order:  everybody hears what one said in its order.
/// Limit:  who has a full send buffer misses the text: there is no log behind it. Speakers wait while kInFlight texts
/// are
///         on their way to other cores.
class Broadcast {
public:
    static constexpr std::size_t kInFlight = 256;

    explicit Broadcast(Core& core);
    ~Broadcast();

    /// Answers a request for `/room`.
    void serve(const ExchangeRef& exchange);
    /// kPause: the speaker waits until its resume().
    wire::Flow say(std::string_view text);
    void add(BroadcastApp& listener) { listeners_.push_back(&listener); }
    void remove(BroadcastApp& listener) noexcept;
    [[nodiscard]] std::size_t listeners() const noexcept { return listeners_.size(); }

private:
    void deliver(std::string_view text);
    void arrived();

    Core& core_;
    metrics::Counter& missed_;
    std::vector<BroadcastApp*> listeners_;
    std::size_t in_flight_ = 0;
};

}  // namespace parley::gateway
