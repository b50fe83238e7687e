#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "chat/service.h"
#include "gateway/head_watch.h"
#include "gateway/http_session.h"
#include "gateway/memory_gate.h"
#include "gateway/news_board.h"
#include "gateway/notification_hub.h"
#include "gateway/notification_queues.h"
#include "gateway/poll_cursor.h"
#include "gateway/refusals.h"
#include "gateway/services.h"
#include "gateway/sse_form.h"
#include "gateway/stomp_form.h"
#include "gateway/token_watch.h"
#include "gateway/topic_hub.h"
#include "room/hub.h"
#include "rt/connection.h"
#include "rt/listener.h"
#include "wire/deflate.h"

namespace parley::gateway {

class Broadcast;
class Router;
class Session;
class SockJsSessions;

/// Everything of one core: its connections, rooms, sessions and what they share.
///
/// Thread: core-local; made, used and destroyed on its loop. Borrows Services.
/// Order:  hears the bus as a Listener and hands on to rooms and sessions.
class Core final : public bus::Bus::Listener {
public:
    Core(rt::Loop& loop, Services& services);
    ~Core() override;

    /// Error: the system's reason why the door cannot be listened at.
    /// kAlone: for all cores, which get the connections one after the other; kShared: each core listens for itself.
    Result<> listen(const Door& door, rt::Listener::Port port);
    void stop_listening();
    /// What TLS connections begin with from now on.
    void set_tls(std::shared_ptr<const rt::TlsContext> tls) noexcept { tls_ = std::move(tls); }
    /// HTTP begins on a connection with the next byte.
    void serve_http(rt::Connection& connection, Arrival arrival);
    /// Counted, and said in the log once a second.
    void refuse_proxy_header(std::string peer, std::string_view why);
    /// Goes on with a request that another core had read.
    void adopt(rt::Connection::Detached detached, wire::HttpRequest request, Arrival arrival);
    /// Closes sessions one after the other over `spread`, each with its own reconnect delay.
    void drain(milliseconds spread);

    [[nodiscard]] rt::Loop& loop() noexcept { return loop_; }
    [[nodiscard]] Services& services() noexcept { return services_; }
    [[nodiscard]] const Options& options() const noexcept { return services_.options; }
    [[nodiscard]] room::Hub& hub() noexcept { return hub_; }
    [[nodiscard]] chat::Service& chat() noexcept { return chat_; }
    [[nodiscard]] rt::Asker& asker() noexcept { return asker_; }
    [[nodiscard]] MemoryGate& memory() noexcept { return memory_; }
    [[nodiscard]] rt::Asker& hashing() noexcept { return hashing_; }
    [[nodiscard]] rt::Asker& replaying() noexcept { return replaying_; }
    [[nodiscard]] StompForms& forms() noexcept { return forms_; }
    [[nodiscard]] SseForms& sse_forms() noexcept { return sse_forms_; }
    [[nodiscard]] NewsBoard& news() noexcept { return news_; }
    [[nodiscard]] NotificationHub& notifications() noexcept { return notifications_; }
    [[nodiscard]] NotificationQueues& notification_queues() noexcept { return notification_queues_; }
    [[nodiscard]] const CursorSeal& cursor_seal() const noexcept { return cursor_seal_; }
    [[nodiscard]] TopicHub& topics() noexcept { return topics_; }
    [[nodiscard]] Broadcast& broadcast() noexcept { return *broadcast_; }
    [[nodiscard]] SockJsSessions& sockjs() noexcept { return *sockjs_; }
    [[nodiscard]] wire::Inflater& inflater() noexcept { return inflater_; }
    [[nodiscard]] wire::DeflaterSet& deflaters() noexcept { return deflaters_; }
    /// For one frame that is copied before anything else is encoded.
    [[nodiscard]] std::string& scratch() noexcept { return scratch_; }
    [[nodiscard]] rt::ConnectionSet& connections() noexcept { return connections_; }
    /// What a connection may have waiting, by the memory there was at the last share_memory().
    [[nodiscard]] Bytes send_buffer() const noexcept { return std::min(shared_buffer_, options().send_buffer); }
    void share_memory();
    [[nodiscard]] Refusals& refusals() noexcept { return refusals_; }
    /// `Date` of HTTP, made once a second.
    [[nodiscard]] std::string_view date();
    /// Unique in this process.
    [[nodiscard]] std::string random_id();
    void read_mark(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<RoomSeq>)> then);

    /// Ends every session that lives by it.
    void end_token(std::string_view sha256_hex);
    void add(Session& session);
    void remove(Session& session) noexcept;
    /// A session of a member begins; who shares a room with them hears when it is the first, of any server.
    void came_online(const MemberId& member, std::string_view nickname);
    /// It has ended.
    void went_offline(const MemberId& member);
    [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }

private:
    void on_messages(const bus::MessageBatch& batch) override;
    void on_room_event(const bus::RoomEvent& event) override;
    void on_notice(const bus::Notice& notice) override;
    void on_missed() override;
    void may_read(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<bool>)> then);
    void on_room_changed(const RoomId& room, std::string_view change);
    /// What has been delivered since, the last of it stored then.
    void count_delivered(WallTime stored);
    template <class Tell>
    void each_session(Tell tell);
    void on_second();
    void look_at_sessions();
    void open(int fd, const Door& door);
    void open_on_next_core(int fd, const Door& door);
    [[nodiscard]] std::unique_ptr<HttpSession> new_session(Arrival arrival);
    [[nodiscard]] rt::Connection::Detached with_tls(int fd, const Door& door) const;
    void log_refused_headers();
    [[nodiscard]] std::size_t connections_of_all() const noexcept;
    void drain_next();
    void ask_what_others_did();
    /// On the first core, of a server that has others.
    [[nodiscard]] room::PresenceSync* presence_sync() const noexcept;
    void forget_expired();
    void say_who_is_online();

    rt::Loop& loop_;
    Services& services_;
    rt::Asker asker_;
    rt::Asker hashing_;
    rt::Asker replaying_;
    MemoryGate memory_;
    Bytes shared_buffer_{1_GiB};
    wire::Inflater inflater_;
    wire::DeflaterSet deflaters_;
    StompForms forms_;
    SseForms sse_forms_;
    NewsBoard news_;
    NotificationHub notifications_;
    NotificationQueues notification_queues_;
    CursorSeal cursor_seal_;
    room::Hub hub_;
    HeadWatch heads_;
    chat::Service chat_;
    TopicHub topics_;
    std::vector<Session*> sessions_;
    std::unique_ptr<Broadcast> broadcast_;
    std::unique_ptr<SockJsSessions> sockjs_;
    std::unique_ptr<Router> router_;
    HttpSession::Service http_service_;
    HttpSession::Service admin_service_;
    HttpSession::Options http_options_;
    HttpSession::Service full_service_;  ///< tells who came by TLS that there is no room
    std::shared_ptr<const rt::TlsContext> tls_;
    rt::ConnectionSet connections_;
    std::vector<std::unique_ptr<rt::Listener>> listeners_;
    struct RefusedHeaders {
        std::uint64_t count = 0;
        std::string peer;
        std::string why;
    } refused_headers_;  ///< since the last line about them
    Refusals refusals_;
    std::size_t next_core_ = 0;  ///< of a listener that serves all of them
    rt::Timer second_;
    TokenWatch token_watch_;
    rt::Timer look_timer_;
    std::size_t to_look_at_ = 0;  ///< sessions, those before it, that have not had their second
    std::uint64_t seconds_ = 0;
    rt::Timer drain_timer_;
    milliseconds drain_step_{0};
    std::size_t drained_ = 0;
    std::size_t to_drain_ = 0;  ///< sessions, those before it, that this round has not told
    SteadyTime next_forget_{};
    std::string date_;
    std::string scratch_;
    std::string id_prefix_;
    std::uint64_t next_id_ = 0;
};

}  // namespace parley::gateway
