#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/rate_limit.h"
#include "chat/service.h"
#include "gateway/session.h"
#include "gateway/token_hold.h"
#include "gateway/ws_plain.h"
#include "room/subscription.h"

namespace parley::gateway {

class DirectChats;

/// One side of a conversation between two members: the pair's messages as JSON texts, and what this side says.
///
/// Thread: core-local. Owned by its WsSession.
/// Order:  the past, then live, each message of the pair once, rising in seq; what this side says is stored in the
/// order
///         it came, each answered by an `ack` once it is durable.
/// Limit:  kInFlight messages wait for the log; then the client does.
/// Fails:  what is refused is answered `{"code","message","messageId"?}` and the socket stays; a token that ends closes
///         with 4401, a position that is lost with 4400.
class DirectSession final : public WsApp, public Session, private room::Sink {
public:
    static constexpr std::size_t kInFlight = 256;

    DirectSession(Core& core, DirectChats& chats, Identity identity, MemberId receiver, room::Start start);
    ~DirectSession() override;

    void on_open(WsSession& socket) override;
    wire::Flow on_message(wire::Opcode opcode, std::string_view payload) override;
    void on_drained() override;
    void on_too_large() override { refuse(Code::kMessageTooLarge, {}, {}); }
    void on_closed() override;

    void on_second(WallTime wall, SteadyTime now) override;
    void on_token_revoked(std::string_view sha256_hex) override;
    void on_member_revoked(const MemberId& member, WallTime before) override;
    void add_token(std::vector<auth::HeldToken>& to) const override;
    void drain(milliseconds reconnect_after) override;

private:
    [[nodiscard]] const MemberId& member() const override { return speaker_.member; }
    [[nodiscard]] std::size_t can_take() const override;
    [[nodiscard]] bool can_take_event() const override { return false; }
    void take(const rt::Slice& frames) override;
    void on_live(std::string_view, const log::RoomHead&) override {}
    void on_set_back(const RoomId& room, RoomSeq written) override;
    void on_truncated(const RoomId& room, RoomSeq first) override;
    void on_position_invalid(std::string_view key, const RoomId& room, const log::RoomHead& at) override;
    void on_ended(std::string_view key, const RoomId& room) override;

    void store(Draft draft);
    void make_room();
    struct Said {
        MessageId id;
        std::string content;
    };
    void stored(const MessageId& id, const Result<std::vector<log::Appended>>& result);
    static void tell_receiver(Core& core, const chat::Speaker& from, const MemberId& to, const Said& said, RoomSeq seq);
    void refuse(Code code, std::string_view message, std::string_view extra);
    void end(Code code, std::string_view extra = {});
    /// Whether the client has to wait with its next message.
    [[nodiscard]] wire::Flow flow();
    void go_on();
    /// Of a server that goes: closes when nothing is under way.
    void leave_when_done();

    Core& core_;
    DirectChats& chats_;
    chat::Speaker speaker_;
    const MemberId receiver_;
    const RoomId room_;
    const room::Start start_;
    TokenHold token_;
    auth::SendRate rate_;
    WsSession* socket_ = nullptr;
    std::unique_ptr<room::Subscription> reader_;
    std::vector<Draft> waiting_;  ///< until the room is there
    std::size_t in_flight_ = 0;
    std::optional<milliseconds> back_in_;  ///< once the server goes
    bool room_is_there_ = false;
    bool paused_ = false;
    bool at_gate_ = false;      ///< waits for memory
    bool let_through_ = false;  ///< past the gate, for what comes next
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::gateway
