#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// What all conversations of a run share that speak Parley's STOMP. Thread: one.
struct ParleyStompTools {
    bool typing = false;       ///< typing events, which are not stored, instead of messages
    bool message_ids = false;  ///< a messageId of our own with each SEND
    HintedSearch seq_in_text{"\nseq:"};
    HintedSearch seq_in_json{R"(\nseq:)"};
    StampFinder stamps_in_text;
    StampFinder stamps_in_json;
    std::string frame;  ///< the SEND being made
    std::string body;
};

/// STOMP as Parley speaks it, whatever carries the frames.
/// Thread: one. Borrows the tools.
/// Order:  a delivery is read where the one before had its seq and stamp; a frame of another shape is parsed in full.
class ParleyStomp {
public:
    ParleyStomp(ParleyStompTools& tools, const Seat& seat) : tools_(tools), seat_(seat) {}

    [[nodiscard]] static std::string connect_frame();
    /// A frame of the server; the frames that answer it.
    std::vector<std::string> take(std::string_view frame, Events& events);
    /// The members of a SockJS array, as JSON.
    std::vector<std::string> take_array(std::string_view array, Events& events);
    /// Valid until the next call.
    [[nodiscard]] std::string_view send_frame(const Stamp& stamp, std::size_t size);
    /// The last frame was an ERROR: what it said. Empty: it goes on.
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
    bool take_quickly(std::string_view frame, std::string_view beginning, HintedSearch& seqs, StampFinder& stamps,
                      Events& events);
    void on_message(std::string_view frame, Events& events);
    static void on_error_message(std::string_view body, Events& events);
    [[nodiscard]] std::vector<std::string> subscribe_frames() const;
    /// Brings the room into being, which typing alone does not.
    [[nodiscard]] std::string first_message() const;

    ParleyStompTools& tools_;
    const Seat& seat_;
    std::string error_;
};

}  // namespace parley::bench
