#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace parley::bench {

/// What a run is asked for; every dialect takes the same.
struct LoadOptions {
    std::string mix;                ///< which one was taken
    std::vector<std::string> urls;  ///< HOST:PORT or ws://HOST:PORT/PATH; connection i goes to url i mod their number
    int connections = 100;
    int rooms = 10;               ///< connection i is in room i mod rooms
    int senders = -1;             ///< the first so many connections send; -1: all
    int subscribers = -1;         ///< per room, its last connections; -1: all of them
    int in_flight = 1;            ///< closed loop: unanswered SENDs of a sender
    double rate = 0;              ///< open loop: messages a second of all senders together; 0: closed loop
    std::string payload = "100";  ///< bytes of content, or `chat`: sizes as people write
    int seconds = 10;
    int warm_up = 1;             ///< seconds of load before those that count
    std::uint64_t messages = 0;  ///< instead of seconds: stop after so many SENDs
    int ramp = 0;                ///< connections made a second; 0: as fast as they are answered
    bool idle = false;           ///< nobody sends: what a connection costs
    int slow = 0;                ///< percent of the receivers read only slow_bytes a second
    int slow_bytes = 16 * 1024;
    int stalled = 0;            ///< percent of the receivers read nothing while it is measured
    int churn = 0;              ///< connections ended and made anew each second
    bool churn_resume = false;  ///< these resume behind the last seq they saw
    int storm = 0;              ///< so many connections more, all at once, in a third of the measured time
    std::vector<int> pids;      ///< the server's processes, for CPU time and memory
    std::string json;           ///< where the results go besides the table

    [[nodiscard]] int per_room() const noexcept { return (connections + rooms - 1) / rooms; }
    /// A, B, C or D: shorthand for options above. False: there is no such mix.
    bool take_mix(const std::string& name);
    /// Fills in what -1 stands for. Error: a line for the user.
    Result<> settle();
};

/// Sizes of messages, one after the other.
class PayloadSizes {
public:
    /// `text`: a number of bytes, or `chat`.
    static Result<PayloadSizes> parse(const std::string& text);
    [[nodiscard]] std::size_t next() noexcept;
    [[nodiscard]] std::size_t largest() const noexcept;

private:
    std::size_t fixed_ = 0;  ///< 0: as in a chat
    std::uint32_t random_ = 0x9E37'79B9;
};

}  // namespace parley::bench
