#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auth/acl.h"
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
    StompSubscription(StompSession& session, std::string id, std::string destination);
    ~StompSubscription() override;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] const std::string& destination() const noexcept { return destination_; }
    [[nodiscard]] AckMode mode() const noexcept { return mode_; }
    void set_ack_mode(AckMode mode, std::size_t prefetch);
    void set_receipt(std::string receipt) { receipt_ = std::move(receipt); }
    [[nodiscard]] std::string take_receipt() { return std::exchange(receipt_, {}); }
    void start(std::unique_ptr<room::Subscription> reader) { reader_ = std::move(reader); }
    void set_kind(auth::Destination destination) { kind_ = std::move(destination); }
    [[nodiscard]] const auth::Destination& kind() const noexcept { return kind_; }
    void on_drained();
    /// Nothing more reaches the session.
    void stop() noexcept;

    [[nodiscard]] bool is_waiting(RoomSeq seq) const;
    /// Acknowledges `seq`, and in mode client everything before it. False: it is not waiting.
    [[nodiscard]] bool acknowledge(RoomSeq seq);
    /// For the message that has no room behind it: the broker profile.
    RoomSeq track();

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
    StompSession& session_;
    const std::string id_;
    const std::string destination_;
    auth::Destination kind_;
    std::string receipt_;  ///< asked for with SUBSCRIBE, sent when live
    std::unique_ptr<room::Subscription> reader_;
    std::vector<RoomSeq> waiting_;  ///< not acknowledged, rising
    RoomSeq tracked_;               ///< the last number track() gave
    std::size_t prefetch_ = 0;
    AckMode mode_ = AckMode::kAuto;
};

}  // namespace parley::gateway
