#include "gateway/services.h"

namespace parley::gateway {

Counters::Counters(metrics::Registry& registry)
    : messages_in(registry.counter("parley_messages_in_total", "Messages that clients sent")),
      messages_out(registry.counter("parley_messages_out_total", "Messages handed to subscribers' connections")),
      set_back(
          registry.counter("parley_subscriptions_set_back_total", "Times a slow subscription was set back (RESYNC)")),
      fan_out_latency(registry.histogram("parley_fan_out_latency_seconds", "From createdAt to the subscribers' queues",
                                         metrics::latency_bounds())),
      proxy_headers_refused(
          registry.counter("parley_proxy_headers_refused_total", "Connections closed for want of a good PROXY header")),
      relayed(registry.counter("parley_relayed_requests_total", "Requests that the server of their session answered")),
      relays_refused(registry.counter("parley_relays_refused_total", "Connections to fleet.listen that were refused")),
      registry_(registry) {}

metrics::Counter& Counters::refused(Code code) {
    return registry_.counter("parley_refused_total", "Refused operations by code", {{"code", std::string{name(code)}}});
}

metrics::Counter& Counters::sessions(const std::string& transport) {
    return registry_.counter("parley_sessions_total", "Sessions begun by transport", {{"transport", transport}});
}

}  // namespace parley::gateway
