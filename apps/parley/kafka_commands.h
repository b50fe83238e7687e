#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/config.h"

namespace parley::app {

/// Sub-commands on the topic of `log.kind=kafka`, beside servers that may be running. As those in commands.h.

struct TopicReplayRequest {
    std::optional<std::uint32_t> partition;
    std::optional<std::uint64_t> from_offset;
    std::optional<std::uint64_t> to_offset;
    std::string from_time;
};
/// Prints the topic's messages, one JSON object a line: each message's, with `partition` and `offset` before it.
[[nodiscard]] int replay_topic(const Config& config, const TopicReplayRequest& request);

struct GroupResetRequest {
    std::string group;
    std::optional<std::uint32_t> partition;
    std::optional<std::uint64_t> to_offset;
    std::string to_time;
    bool execute = false;
};
/// Prints where the group stands and where it would, and moves it where that is asked for.
[[nodiscard]] int reset_group(const Config& config, const GroupResetRequest& request);

}  // namespace parley::app
