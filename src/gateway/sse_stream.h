#pragma once
#include "gateway/session.h"
#include "gateway/token_hold.h"
#include "rt/connection.h"
#include "wire/http_response.h"
#include "wire/sse.h"

namespace parley::gateway {

class Core;
struct Identity;

/// A `text/event-stream` that is open: what is the same whatever its events are about. It says something every 15 s and
/// ends after 30 min, when its token ends, or with the server; the client comes back by itself.
///
/// Thread: core-local. Owned by its connection, which has nothing of HTTP left; a Session of its core while it is open.
/// Limit:  who fills it asks can_take() and waits for on_room().
class SseStream : public rt::Connection::Handler, public Session {
public:
    /// What an opening request says of a stream.
    struct Opening {
        const Identity& identity;
        wire::HttpBodyFraming framing;
        bool unnamed = false;  ///< no event has a name: for pages that listen to `message` only
        const char* transport;
    };
    SseStream(Core& core, const Opening& opening);
    ~SseStream() override;

    void on_open(rt::Connection& connection) final;
    std::size_t on_data(rt::Connection&, std::span<char> bytes) final { return bytes.size(); }
    void on_drained(rt::Connection&) final;
    void on_closed(rt::Connection&) final;

    void on_second(WallTime wall, SteadyTime now) final;
    void on_token_revoked(std::string_view sha256_hex) final;
    void on_member_revoked(const MemberId& member, WallTime before) final;
    void add_token(std::vector<auth::HeldToken>& to) const final;
    void drain(milliseconds reconnect_after) final;

protected:
    [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }
    /// Null once it has ended.
    [[nodiscard]] rt::Connection* connection() const noexcept { return connection_; }
    [[nodiscard]] bool can_take() const noexcept { return is_open() && connection_->can_take(); }
    [[nodiscard]] const MemberId& member() const noexcept { return token_.member(); }
    /// The first event.
    void say_connected(std::string_view data);
    void say(wire::SseEvent event);
    void send(const rt::Slice& body) { connection_->send(body); }
    /// The last event: `name` with the error's code and text and `extra` members.
    void end(std::string_view name, Code code, std::string_view extra = {});

    /// The connection can take again.
    virtual void on_room() = 0;
    /// Nothing may be said any more.
    virtual void on_end() noexcept = 0;

    Core& core_;
    const wire::HttpBodyFraming framing_;

private:
    void write(std::string_view piece);
    void finish();
    void leave() noexcept;

    const bool unnamed_;
    rt::Connection* connection_ = nullptr;
    TokenHold token_;
    SteadyTime comment_at_;
    SteadyTime ends_at_;
};

}  // namespace parley::gateway
