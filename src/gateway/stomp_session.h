#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/acl.h"
#include "auth/jwt.h"
#include "auth/rate_limit.h"
#include "auth/token_hash.h"
#include "base/memory_account.h"
#include "chat/service.h"
#include "gateway/link.h"
#include "gateway/session.h"
#include "gateway/stomp_subscription.h"
#include "gateway/topic_hub.h"
#include "wire/stomp_decoder.h"

namespace parley::gateway {

class Core;

/// Who came through the handshake.
struct Identity {
    auth::Claims claims;
    std::string token_sha256;  ///< empty for guests
};

/// One STOMP conversation: from CONNECT to the end, over any transport.
///
/// Thread: core-local. Owned by its link through a shared_ptr, so that an answer that comes after the end finds
///         nobody; the Core has it in its list while it is open.
/// Order:  frames are handled one after the other; while one waits for an answer (busy), later ones wait in input_.
/// Memory: a client that only listens holds no heap beside its subscriptions.
/// Limit:  subscriptions, transactions (100 messages, 512 KiB), 512 operations in flight; no frame is taken while the
///         send buffer is full.
/// Fails:  protocol faults end in ERROR and close; refused operations go to `/user/queue/errors`.
class StompSession final : public std::enable_shared_from_this<StompSession>,
                           public LinkApp,
                           public Session,
                           private wire::StompDecoder::Handler {
public:
    /// `subprotocol`: what the handshake agreed. `transport`: what it is counted by.
    StompSession(Core& core, auth::Profile profile, std::optional<Identity> identity,
                 std::optional<wire::StompVersion> subprotocol, std::string transport);
    ~StompSession() override;

    void on_open(Link& link) override { link_ = &link; }
    /// A message may hold a part of a frame, or several.
    wire::Flow on_message(std::string_view bytes) override;
    void on_drained() override;
    void on_too_large() override { fault("the message is too large", {}, 1009); }
    void on_closed() override;

    /// Ends what has run out: the token, the handshake's time, stays in rooms.
    void on_second(WallTime wall, SteadyTime now) override;
    /// Ends with ERROR and 4401 when this session's token is meant.
    void on_token_revoked(std::string_view sha256_hex) override;
    void on_member_revoked(const MemberId& member, WallTime before) override;
    void add_token(std::vector<auth::HeldToken>& to) const override;
    /// On each subscription of `/user/queue/notifications`.
    void notify(std::string_view json);
    /// The server goes: close 1001 with the reconnect delay, once what was taken is answered.
    void drain(milliseconds reconnect_after) override;

    [[nodiscard]] const MemberId& member() const noexcept { return speaker_.member; }

private:
    friend class StompSubscription;
    friend class TopicHub;
    /// The id of the receipt a client asked for, which may be empty. None: it asked for none.
    using AskedReceipt = std::optional<std::string_view>;
    struct Refusal {
        Code code;
        std::string_view message;
        std::string_view extra;  ///< further JSON members
        AskedReceipt receipt{};
    };
    struct Transaction {
        std::optional<RoomId> room;
        std::vector<Draft> drafts;
        std::vector<TopicHub::Message> topic_messages;      ///< of the broker profile
        std::vector<std::pair<std::string, RoomSeq>> acks;  ///< subscription and what it acknowledges
        std::vector<std::string> receipts;
        std::size_t bytes = 0;
        memory::Charge held;
        bool spoiled = false;  ///< a SEND in it was refused

        void add(std::size_t count) {
            bytes += count;
            held = {memory::Use::kInput, bytes};
        }
    };
    /// What a client has that does more than listen.
    struct Activity {
        auth::SendRate rate;
        std::map<std::string, Transaction, std::less<>> transactions;
        std::map<RoomId, SteadyTime> stays;  ///< rooms it has joined, and when each was last extended
    };

    // stomp_flaws.cpp: what is wrong with a frame by its headers and what came before it
    void on_headers(const wire::StompFrame& frame) override;
    /// False: it cannot be valid, and the session has ended.
    [[nodiscard]] bool admit(const wire::StompFrame& frame);
    [[nodiscard]] std::optional<wire::StompVersion> agreed_version(const wire::StompFrame& frame) const;
    [[nodiscard]] std::string_view flaw_of(const wire::StompFrame& frame);
    [[nodiscard]] std::string_view flaw_of_subscribe(const wire::StompFrame& frame);
    [[nodiscard]] std::string_view flaw_of_ack(const wire::StompFrame& frame) const;
    /// In 1.0 the destination stands for it where it is missing.
    [[nodiscard]] std::optional<std::string_view> subscription_id(const wire::StompFrame& frame) const;

    // stomp_session.cpp: the conversation. Handlers get admitted frames.
    wire::Flow on_frame(const wire::StompFrame& frame) override;
    void on_heartbeat() override;
    void dispatch(const wire::StompFrame& frame);
    void on_connect(const wire::StompFrame& frame);
    void identify(Identity identity);
    void finish_connect(wire::HeartBeat client, std::optional<wire::StompVersion> version);
    void on_disconnect(const wire::StompFrame& frame);
    void disconnect();
    void send(std::string_view command, std::span<const wire::StompHeader> headers, std::string_view body = {});
    void receipt(AskedReceipt id, std::span<const wire::StompHeader> extra = {});
    /// To each subscription of that queue.
    void user_message(auth::DestinationKind queue, std::string_view destination, std::string_view json);
    void refuse(const Refusal& refusal);
    /// ERROR and close. `json`: its body, where there is more to say than `message`.
    void fault(std::string_view message, AskedReceipt receipt = {}, std::uint16_t code = 1002,
               std::string_view json = {});
    /// Null: this session has not subscribed to it.
    [[nodiscard]] bool hears(auth::DestinationKind queue) const noexcept;
    void end(std::uint16_t code, std::string_view reason);
    /// Is no session any more; the link may still be open.
    void leave();
    /// While an answer is awaited that later frames depend on, they wait.
    void hold() noexcept { holding_ = true; }
    void release();
    void wait_for_memory();
    void go_on();
    [[nodiscard]] bool busy() const noexcept {
        return holding_ || moving_ || throttled_ || clogged_ || disconnecting_ || draining_;
    }
    /// Of a server that goes: ends when nothing is under way.
    void leave_when_done();
    void beat();
    void recheck_token();
    void tidy(SteadyTime now);
    [[nodiscard]] StompSubscription* subscription(std::string_view id) noexcept;
    StompSubscription& add(std::unique_ptr<StompSubscription> subscription);
    [[nodiscard]] Activity& activity();
    [[nodiscard]] Transaction* transaction(std::string_view id);
    [[nodiscard]] bool is_open() const noexcept { return !ended_; }

    // stomp_send.cpp: SEND and transactions
    void on_send(const wire::StompFrame& frame);
    struct Request {  ///< one SEND that names a room
        auth::Operation operation = auth::Operation::kSend;
        chat::Words words;
        RoomSeq read_up_to;
        std::optional<std::string> receipt;
        std::string transaction;
    };
    [[nodiscard]] Result<Request> parse_chat(std::string_view body);
    [[nodiscard]] Result<Request> parse_public(std::string_view body);
    [[nodiscard]] Result<Request> parse_hint(auth::DestinationKind kind, std::string_view body);
    /// Where memory is short it waits for its turn.
    void perform(Request request);
    void perform_now(Request request);
    /// False: it goes on when the room has been made; the session is held until then.
    bool perform_in(const chat::RoomView& view, Request request);
    void perform_allowed(Request request);
    /// A JOIN or LEAVE with an id of the client's is done.
    void moved(const RoomId& room, const Result<chat::Service::Stay>& result);
    void extend_stay(const RoomId& room, SteadyTime now);
    void talk(Request request);
    void refuse_send(const Request& request, const Error& error);
    void on_auth_refresh(const wire::StompFrame& frame);
    void on_topic_send(const wire::StompFrame& frame, Transaction* transaction);
    [[nodiscard]] bool fits(const Transaction& transaction, AskedReceipt receipt);
    void on_begin(const wire::StompFrame& frame);
    void on_commit(const wire::StompFrame& frame);
    void on_abort(const wire::StompFrame& frame);
    void add_to_transaction(Request request);
    void sent(const RoomId& room, AskedReceipt receipt, const Result<std::vector<log::Appended>>& result);
    void one_more_in_flight() noexcept;
    void one_less_in_flight();
    [[nodiscard]] auth::Decision judge(auth::Operation operation, const auth::Destination& destination,
                                       const chat::RoomView& view) const;

    // stomp_subscribe.cpp: SUBSCRIBE, UNSUBSCRIBE, ACK, NACK
    void on_subscribe(const wire::StompFrame& frame);
    void subscribe_room(std::unique_ptr<StompSubscription> subscription, const auth::Destination& destination,
                        room::Start start);
    /// With the room's epoch, where the log tells it.
    void events_receipt(const RoomId& room, std::optional<std::string> asked);
    void subscribe_after_read_mark(std::unique_ptr<StompSubscription> subscription,
                                   const auth::Destination& destination, room::Start start);
    void on_unsubscribe(const wire::StompFrame& frame);
    void on_ack(const wire::StompFrame& frame);
    void drop(std::string_view id);
    /// A room may no longer be read: said in the errors queue, or with ERROR and 4403.
    void end_of_right(std::string_view extra);

    Core& core_;
    Link* link_ = nullptr;  ///< null before it is open and once it has gone
    SteadyTime last_received_;
    SteadyTime frame_begun_;  ///< of which part has arrived
    SteadyTime last_sent_;
    WallTime expires_;
    /// When CONNECT must have come; then when the token is looked at again.
    SteadyTime look_at_;
    std::unique_ptr<Activity> activity_;  ///< null while the client only listens
    std::unique_ptr<std::string> input_;  ///< arrived while busy; null when there is none
    std::uint32_t in_flight_ = 0;
    const auth::Profile profile_;
    std::optional<wire::StompVersion> subprotocol_;
    bool identified_ = false;
    bool connected_ = false;
    bool holding_ = false;
    bool moving_ = false;     ///< a JOIN or LEAVE that may be one of before is under way
    bool throttled_ = false;  ///< too many operations in flight
    bool clogged_ = false;    ///< the client does not read what it is answered
    bool disconnecting_ = false;
    bool draining_ = false;  ///< the server goes
    bool ended_ = false;
    wire::StompDecoder decoder_;
    std::vector<std::unique_ptr<StompSubscription>> subscriptions_;
    wire::HeartBeat beat_{0, 0};
    rt::Timer beat_timer_;
    chat::Speaker speaker_;
    WallTime issued_at_;
    auth::TokenHash token_;                   ///< empty for guests
    std::unique_ptr<std::string> last_word_;  ///< the receipt of DISCONNECT, or why a server that goes closes it
};

}  // namespace parley::gateway
