#pragma once
#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// What bench/limit takes: `room N\n`, then frames that it hands on as they are. A frame is what Parley would deliver
/// for that payload, byte for byte in shape and size: a WebSocket text frame with a STOMP MESSAGE in all its headers.
/// A sender's own delivery is its answer: nothing cheaper can close a loop. Thread: one.
class BareDialect final : public Dialect {
public:
    enum class Shape : std::uint8_t { kMessage, kTyping };  ///< a stored message, or a typing event
    explicit BareDialect(Shape shape) : shape_(shape) {}
    [[nodiscard]] Traits traits() const noexcept override { return {.receipts = false, .seqs = false}; }
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class BareConversation;
    Shape shape_;
    StampFinder stamps_;
    std::string body_;
    std::string frame_;
};

}  // namespace parley::bench
