#pragma once
#include <cstdint>
#include <string_view>

#include "gateway/stomp_form.h"
#include "gateway/ws_session.h"
#include "rt/connection.h"

namespace parley::gateway {

/// What carries one STOMP session: a WebSocket, a SockJS session over whatever it has.
/// Thread: core-local. Owned together with the session and outlives it.
class StompTransport {
public:
    virtual ~StompTransport() = default;
    /// One STOMP frame, or a single LF as heart-beat.
    virtual void send_frame(std::string_view frame) = 0;
    /// What a StompForm of framing() and deflate_bits() made.
    virtual void send_encoded(const rt::Slice& frames) = 0;
    /// The connection that send_encoded() hands frames to as they are. Null: there is none, or not always the same.
    [[nodiscard]] virtual rt::Connection* direct() { return nullptr; }
    /// Sends what is queued, then ends with this close code. StompSession::on_closed() follows.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// About once a second: closes a peer that has gone, where the transport can tell.
    virtual void keep_alive(SteadyTime now, const WsPatience& patience) {
        (void)now;
        (void)patience;
    }
    /// The session can take input again.
    virtual void resume() = 0;
    [[nodiscard]] virtual std::size_t queued() const = 0;
    [[nodiscard]] virtual StompFraming framing() const = 0;
    [[nodiscard]] virtual int deflate_bits() const { return 0; }
};

}  // namespace parley::gateway
