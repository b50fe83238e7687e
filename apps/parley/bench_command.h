#pragma once
#include <string>
#include <vector>

#include "base/config.h"
#include "bench/options.h"

namespace parley::app {

/// What `parley bench` takes besides the options of every load generator.
struct BenchRequest {
    bench::LoadOptions load;
    std::string transport = "stomp";  ///< one of bench_transports()
    std::string send_by = "post";     ///< or `stomp`: senders of sse, longpoll and polling
    int poll_every = 1000;            ///< polling: milliseconds
    bool deflate = false;             ///< offer permessage-deflate
    bool typing = false;              ///< events that are not stored, instead of messages
    bool message_ids = false;         ///< send a messageId of our own with each
};

/// What the connections of a run may speak.
[[nodiscard]] std::vector<std::string> bench_transports();

/// The load generator with Parley's own dialects: connects with tokens it signs itself and checks that nothing was
/// lost, doubled or reordered.
/// Thread: the calling one, alone. Fails: 2 for what cannot be begun (options, connections), 1 where the check or the
/// conversation failed, each with a line on stderr.
[[nodiscard]] int bench(const Config& config, const BenchRequest& request);

}  // namespace parley::app
