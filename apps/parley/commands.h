#pragma once
#include <string>

#include "base/config.h"

namespace parley::app {

/// The sub-commands besides serve. Each prints to stdout and returns the exit status: 0, 1 for "no", 2 for a fault.

struct TokenRequest {
    std::string id;
    std::string nickname;
    milliseconds ttl{3'600'000};
};
[[nodiscard]] int make_token(const Config& config, const TokenRequest& request);

/// Whether a server could start with it, as far as that shows without opening anything: keys and certificates too.
[[nodiscard]] int check(const Config& config);

struct ExplainRequest {
    std::string user;
    std::string subscribe;
    std::string send;
    std::string profile;  ///< empty: the one whose prefix the destination has
};
/// Says whether a member may, and by which rule. Works beside a running server.
[[nodiscard]] int explain(const Config& config, const ExplainRequest& request);

struct ReplayRequest {
    std::string room;
    std::uint64_t from_seq = 1;
    std::string from_time;
};
/// Prints a room's messages, one JSON object a line. Works beside a running server.
[[nodiscard]] int replay(const Config& config, const ReplayRequest& request);

enum class Restored : bool { kNo, kYes };  ///< the store came out of a backup: its rooms get a new epoch
[[nodiscard]] int repair(const Config& config, Restored restored);

}  // namespace parley::app
