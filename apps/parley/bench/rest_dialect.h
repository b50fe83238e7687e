#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "bench/dialect.h"
#include "bench/parley_dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// Parley's rooms over HTTP: an event stream, long polls or polls bring the messages, and each SEND is a request of its
/// own or goes by STOMP over WebSocket. Thread: one. Outlives its conversations.
class RestDialect final : public Dialect {
public:
    enum class Receive : std::uint8_t {
        kStream,       ///< Server-Sent Events of the room
        kLongPoll,     ///< of the room
        kLongPollAll,  ///< of all rooms of a member, by the cursor
        kPoll,         ///< of the room, every Options::every
    };
    enum class SendBy : std::uint8_t { kPost, kStomp };
    struct Options {
        Receive receive = Receive::kStream;
        SendBy send_by = SendBy::kPost;
        std::chrono::milliseconds every{1000};
        bool message_ids = false;
        std::string host;
        std::function<std::string(const Seat&)> token;
    };

    explicit RestDialect(Options options);
    [[nodiscard]] Traits traits() const noexcept override;
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class RestConversation;
    friend class RestSends;
    friend class RestStream;
    friend class RestPolls;
    [[nodiscard]] std::unique_ptr<Conversation> sends(Seat seat);

    Options options_;
    ParleyDialect stomp_;
    HintedSearch seqs_{"\"seq\":"};
    HintedSearch answered_seqs_{"\"seq\":"};
    StampFinder stamps_;
    std::string body_;  ///< the SEND being made
};

}  // namespace parley::bench
