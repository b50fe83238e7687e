#pragma once
#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// NATS' own text protocol over TCP: one subject for each room, the payload alone as the message. A sender's own
/// delivery is its answer, as core NATS gives no other. Thread: one.
class NatsDialect final : public Dialect {
public:
    [[nodiscard]] Traits traits() const noexcept override { return {.receipts = false, .seqs = false}; }
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class NatsConversation;
    StampFinder stamps_;
    std::string payload_;
};

}  // namespace parley::bench
