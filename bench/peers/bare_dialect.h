#pragma once
#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// What bench/limit takes: `room N\n`, then frames that it hands on as they are. A frame is what Parley would deliver
/// for that payload, byte for byte in shape and size: a WebSocket text frame with a STOMP MESSAGE in all its headers.
/// Or as it would deliver a typing event: the stamp stands where member and nickname do.
/// A sender's own delivery is its answer: nothing cheaper can close a loop. Thread: one.
class BareDialect final : public Dialect {
public:
    enum class Talk : std::uint8_t { kMessages, kTyping };
    explicit BareDialect(Talk talk) : talk_(talk) {}
    [[nodiscard]] Traits traits() const noexcept override { return {.receipts = false, .seqs = false}; }
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class BareConversation;
    Talk talk_;
    StampFinder stamps_;
    std::string body_;
    std::string frame_;
};

}  // namespace parley::bench
