#pragma once
#include <cstdint>
#include <string>

#include "base/config.h"

namespace parley::app {

/// What `parley bench` is asked for.
struct BenchRequest {
    std::string url;  ///< ws://HOST:PORT/PATH; empty: the configured listener's /ws-chat
    int connections = 100;
    int rooms = 10;        ///< connection i is in room i mod rooms
    int senders = -1;      ///< the first so many connections send; -1: all
    int in_flight = 1;     ///< unanswered SENDs of a sender
    int subscribers = -1;  ///< per room, its last connections; -1: all of them
    int payload = 100;     ///< bytes of content
    int seconds = 10;
    int warm_up = 1;             ///< seconds of load before those that count
    std::uint64_t messages = 0;  ///< instead of seconds: stop after so many SENDs
    bool message_ids = false;    ///< send a messageId of our own with each
    int pid = 0;                 ///< the server's, for its CPU time and memory
    std::string json;            ///< where the results go besides the table
};

/// The load generator: connects over WebSocket and STOMP with tokens it signs itself, keeps every sender's SENDs in
/// flight, and checks that nothing was lost, doubled or reordered.
/// Thread: the calling one, alone. Fails: 2 for what cannot be begun (options, connections), 1 where the check or the
/// conversation failed, each with a line on stderr.
[[nodiscard]] int bench(const Config& config, const BenchRequest& request);

}  // namespace parley::app
