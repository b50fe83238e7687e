#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "bench/dialect.h"
#include "wire/deflate.h"

namespace parley::bench {

/// STOMP as Parley speaks it, over WebSocket or SockJS's websocket transport.
///
/// Thread: one. Outlives its conversations.
/// Order:  a delivery is read where the one before had its seq and stamp; a frame of another shape is parsed in full.
class ParleyDialect final : public Dialect {
public:
    enum class Carrier : std::uint8_t { kWebSocket, kSockJs };
    enum class Talk : std::uint8_t { kMessages, kTyping };  ///< stored messages, or events that are not stored
    struct Options {
        Carrier carrier = Carrier::kWebSocket;
        Talk talk = Talk::kMessages;
        bool deflate = false;      ///< offer permessage-deflate
        bool message_ids = false;  ///< a messageId of our own with each SEND
        std::string host;
        std::string path = "/ws-chat";
        std::function<std::string(const Seat&)> token;
    };

    explicit ParleyDialect(Options options) : options_(std::move(options)) {}
    [[nodiscard]] Traits traits() const noexcept override;
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class ParleyConversation;

    /// One compressed payload goes to all members of a room: what it held is remembered.
    struct Inflated {
        std::string packed;
        std::string text;
    };
    [[nodiscard]] std::string_view inflate(std::string_view packed);

    Options options_;
    HintedSearch seq_in_text_{"\nseq:"};
    HintedSearch seq_in_json_{R"(\nseq:)"};
    StampFinder stamps_;
    wire::Inflater inflater_;
    std::vector<Inflated> inflated_ = std::vector<Inflated>(1024);
    std::string scratch_;  ///< a SEND being made
    std::string packing_;  ///< the same in SockJS's array
};

}  // namespace parley::bench
