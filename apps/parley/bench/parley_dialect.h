#pragma once
#include <functional>
#include <string>
#include <vector>

#include "bench/dialect.h"
#include "bench/parley_stomp.h"
#include "wire/deflate.h"

namespace parley::bench {

/// Parley's STOMP over WebSocket, or over one of SockJS's transports.
/// Thread: one. Outlives its conversations.
class ParleyDialect final : public Dialect {
public:
    enum class Carrier : std::uint8_t {
        kWebSocket,
        kSockJs,  ///< its websocket
        kXhrStreaming,
        kXhrPolling,
        kEventSource,
        kHtmlFile,
        kJsonp,
    };
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

    explicit ParleyDialect(Options options);
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
    ParleyStompTools tools_;
    wire::Inflater inflater_;
    std::vector<Inflated> inflated_ = std::vector<Inflated>(1024);
    std::string packing_;  ///< a frame in SockJS's array
    std::uint64_t sessions_ = 0;
};

}  // namespace parley::bench
