#pragma once
#include <functional>
#include <memory>
#include <string>

#include "bench/dialect.h"
#include "bench/stamp.h"

namespace parley::bench {

/// Parley's WebSockets without STOMP: `/room`, where everybody hears everybody, and `/ws/direct`, where two talk.
/// Thread: one. Outlives its conversations.
class PlainDialect final : public Dialect {
public:
    enum class Kind : std::uint8_t { kRoom, kDirect };
    struct Options {
        Kind kind = Kind::kRoom;
        std::string host;
        int pairs = 0;  ///< kDirect: connections i and i + pairs talk with each other
        std::function<std::string(const Seat&)> token;
    };

    explicit PlainDialect(Options options) : options_(std::move(options)) {}
    [[nodiscard]] Traits traits() const noexcept override;
    [[nodiscard]] std::unique_ptr<Conversation> converse(Seat seat) override;

private:
    friend class PlainRoom;
    friend class PlainDirect;

    Options options_;
    HintedSearch seqs_{"\"seq\":"};
    StampFinder stamps_;
    std::string text_;  ///< the message being made
};

}  // namespace parley::bench
