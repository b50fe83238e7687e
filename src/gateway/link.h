#pragma once
#include <cstdint>
#include <string_view>

#include "gateway/stomp_form.h"
#include "gateway/ws_session.h"
#include "rt/connection.h"
#include "wire/flow.h"

namespace parley::gateway {

/// What carries one conversation of messages: a WebSocket, a SockJS session over whatever it has.
/// Thread: core-local. Owns a share of its LinkApp.
class Link {
public:
    virtual ~Link() = default;
    /// One message. Bytes that are no text go as they are where the carrier can, else as U+FFFD.
    virtual void send(std::string_view message) = 0;
    /// What a StompForm of framing() and deflate_bits() made.
    virtual void send_encoded(const rt::Slice& frames) = 0;
    /// The connection that send_encoded() hands frames to as they are. Null: there is none, or not always the same.
    [[nodiscard]] virtual rt::Connection* direct() { return nullptr; }
    /// Sends what is queued, then ends with this close code. LinkApp::on_closed() comes from inside.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// About once a second: closes a peer that has gone, where the carrier can tell.
    virtual void keep_alive(SteadyTime now, const WsPatience& patience) = 0;
    /// The app can take messages again.
    virtual void resume() = 0;
    [[nodiscard]] virtual std::size_t queued() const = 0;
    [[nodiscard]] virtual StompFraming framing() const = 0;
    [[nodiscard]] virtual int deflate_bits() const { return 0; }
};

/// What is spoken over a link: STOMP, an echo. Thread: core-local. Its answers may come when the link has gone.
class LinkApp {
public:
    virtual ~LinkApp() = default;
    virtual void on_open(Link& link) = 0;
    /// kPause: no more until Link::resume().
    virtual wire::Flow on_message(std::string_view message) = 0;
    virtual void on_drained() {}
    /// A message above the limit came; the link closes with 1009 right after.
    virtual void on_too_large() {}
    /// Once; the link must not be used after it returns.
    virtual void on_closed() = 0;
};

}  // namespace parley::gateway
