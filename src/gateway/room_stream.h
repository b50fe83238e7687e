#pragma once
#include <memory>

#include "gateway/sse_stream.h"
#include "room/subscription.h"

namespace parley::gateway {

/// A room's messages as Server-Sent Events.
///
/// Thread: core-local. Owned by its connection.
/// Order:  `connected`, then every message above the starting point once, rising; a reader that is too slow is filled
///         up from the log as it drains.
/// Fails:  a right that ends, a token that ends and a position that is lost each say so in a last event.
class RoomStream final : public SseStream, private room::Sink {
public:
    using SseStream::SseStream;
    ~RoomStream() override;

    /// `at` is where the room stands; `after` is not above it.
    void begin(const RoomId& room, const log::RoomHead& at, RoomSeq after);

private:
    void on_room() override;
    void on_end() noexcept override;

    [[nodiscard]] const MemberId& member() const override { return SseStream::member(); }
    [[nodiscard]] std::size_t can_take() const override;
    [[nodiscard]] bool can_take_event() const override { return false; }
    void take(const rt::Slice& frames) override;
    [[nodiscard]] rt::Connection* direct() override { return connection(); }
    void on_live(std::string_view, const log::RoomHead&) override {}
    void on_set_back(const RoomId& room, RoomSeq written) override;
    void on_truncated(const RoomId& room, RoomSeq first) override;
    void on_position_invalid(std::string_view key, const RoomId& room, const log::RoomHead& at) override;
    void on_ended(std::string_view key, const RoomId& room) override;

    std::unique_ptr<room::Subscription> reader_;
};

}  // namespace parley::gateway
