#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auth/destination.h"
#include "room/subscription.h"

namespace parley::gateway {

class StompSession;

enum class AckMode : std::uint8_t { kAuto, kClient, kClientIndividual };

/// One SUBSCRIBE of a STOMP session: the way out for a room's messages, and what of them is not acknowledged yet.
///
/// Thread: core-local. Owned by its session.
/// Limit:  in the client modes at most `prefetch` unacknowledged messages; the rest waits in the log, not in memory.
class StompSubscription final : public room::Sink {
public:
    StompSubscription(StompSession& session, std::string id, auth::DestinationKind kind);
    ~StompSubscription() override;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] auth::DestinationKind kind() const noexcept { return kind_; }
    [[nodiscard]] AckMode mode() const noexcept { return mode_; }
    void set_ack_mode(AckMode mode, std::size_t prefetch);
    /// What to send once live.
    void set_receipt(std::optional<std::string> receipt);
    [[nodiscard]] std::optional<std::string> take_receipt();
    /// The destination, where no room is behind it: the broker profile.
    void set_topic(std::string topic) { extra().topic = std::move(topic); }
    [[nodiscard]] const std::string& topic() const noexcept { return extra_->topic; }
    /// What stands before the colon in the message-id of its messages.
    [[nodiscard]] const std::string& message_scope() const noexcept;
    void start(std::unique_ptr<room::Subscription> reader) { reader_ = std::move(reader); }
    void on_drained();
    /// Nothing more reaches the session.
    void stop() noexcept;

    [[nodiscard]] bool is_waiting(RoomSeq seq) const;
    /// Acknowledges `seq`, and in mode client everything before it. False: it is not waiting.
    [[nodiscard]] bool acknowledge(RoomSeq seq);
    /// For the message that has no room behind it: the broker profile.
    RoomSeq track();

    [[nodiscard]] const MemberId& member() const override;
    [[nodiscard]] std::size_t can_take() const override;
    [[nodiscard]] bool can_take_event() const override;
    void take(const rt::Slice& frames) override;
    [[nodiscard]] rt::Connection* direct() override;
    void on_live(std::string_view key, const log::RoomHead& at) override;
    void on_set_back(const RoomId& room, RoomSeq written) override;
    void on_truncated(const RoomId& room, RoomSeq first) override;
    void on_position_invalid(std::string_view key, const RoomId& room, const log::RoomHead& at) override;
    void on_ended(std::string_view key, const RoomId& room) override;

private:
    struct Extra {
        std::optional<std::string> receipt;
        std::string topic;
        std::vector<RoomSeq> waiting;  ///< not acknowledged, rising
        RoomSeq tracked;               ///< the last number track() gave
        std::size_t prefetch = 0;
    };
    Extra& extra();

    StompSession& session_;
    std::unique_ptr<room::Subscription> reader_;
    std::unique_ptr<Extra> extra_;  ///< null for a room's live messages that need no acknowledgement
    AckMode mode_ = AckMode::kAuto;
    const auth::DestinationKind kind_;
    const std::string id_;
};

}  // namespace parley::gateway
