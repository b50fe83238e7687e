#pragma once
#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// STOMP over WebSocket as brokers speak it (RabbitMQ Web-STOMP, Spring): a destination for each room, the payload
/// alone as the body. A sender's own delivery is its answer. Thread: one.
class StompDialect final : public Dialect {
public:
    struct Options {
        std::string host;  ///< HOST:PORT
        std::string path = "/ws";
        std::string send_prefix = "/topic/";
        std::string subscribe_prefix = "/topic/";
        std::string login;
        std::string passcode;
        bool receipts = true;  ///< the server answers SUBSCRIBE; else it is tried out with a message to oneself
    };

    explicit StompDialect(Options options) : options_(std::move(options)) {}
    [[nodiscard]] Traits traits() const noexcept override { return {.receipts = false, .seqs = false}; }
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class StompConversation;
    Options options_;
    StampFinder stamps_;
    std::string frame_;
    std::string payload_;
};

}  // namespace parley::bench
