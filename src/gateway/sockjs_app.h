#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/stomp_form.h"
#include "gateway/ws_session.h"
#include "rt/chunk.h"
#include "wire/flow.h"

namespace parley::gateway {

/// The way back to a SockJS client, over WebSocket or HTTP.
class SockJsLink {
public:
    virtual ~SockJsLink() = default;
    virtual void send(std::string_view message) = 0;
    /// Messages that are wrapped already, as framing() says.
    virtual void send_encoded(const rt::Slice& frames) = 0;
    virtual void close(int code, std::string_view reason) = 0;
    /// As StompTransport says.
    virtual void keep_alive(SteadyTime, const WsPatience&) {}
    virtual void resume() = 0;
    [[nodiscard]] virtual std::size_t queued() const = 0;
    [[nodiscard]] virtual StompFraming framing() const = 0;
    [[nodiscard]] virtual int deflate_bits() const { return 0; }
};

/// What speaks over a SockJS session. Thread: core-local. Owned by the session.
class SockJsApp {
public:
    virtual ~SockJsApp() = default;
    virtual void on_open(SockJsLink& link) = 0;
    virtual wire::Flow on_message(std::string_view message) = 0;
    virtual void on_drained() {}
    /// Once; the link must not be used after it returns.
    virtual void on_closed() = 0;
};

}  // namespace parley::gateway
