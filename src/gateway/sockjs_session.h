#pragma once
#include <deque>
#include <memory>
#include <string>

#include "gateway/exchange.h"
#include "gateway/link.h"
#include "rt/loop.h"
#include "wire/sockjs_framing.h"

namespace parley::gateway {

/// What differs between the SockJS services.
struct SockJsOptions {
    milliseconds heartbeat{30'000};
    milliseconds disconnect_delay{5'000};
    std::size_t response_limit = 128 * 1024;
};

/// One SockJS session over HTTP: what waits for the client's next request, and its request now.
///
/// Thread: core-local, on the core its id belongs to. Owned by SockJsSessions.
/// Order:  messages leave in the order they were sent; at most one receiving request at a time.
/// Limit:  without a receiver for the disconnect delay it ends. A receiver that breaks off ends it at once. An xhr_send
///         or jsonp_send is answered when the app can take more; another one before that is refused.
class SockJsHttpSession final : private Link {
public:
    /// How messages of the client come: as JSON, or in jsonp's form.
    enum class Sender : std::uint8_t { kXhr, kJsonp };

    SockJsHttpSession(rt::Loop& loop, std::shared_ptr<LinkApp> app, std::string query_identity,
                      const SockJsOptions& options);
    ~SockJsHttpSession() override;

    void open() { app_->on_open(*this); }
    /// What a receiver hears of a session that is not there: its close frame.
    static void answer_closed(Exchange& receiver, const wire::SockJsFraming& framing, std::string_view close_frame);
    /// A request that waits for messages.
    void receive(ExchangeRef exchange, wire::SockJsFraming framing);
    /// A request that brings messages.
    void take(ExchangeRef exchange, Sender kind);
    /// True when it is over and its last word has had its time.
    [[nodiscard]] bool is_done(SteadyTime now) const noexcept;
    /// The query that opened it, which every later request repeats.
    [[nodiscard]] const std::string& query_identity() const noexcept { return query_identity_; }

    void send(std::string_view message) override;
    void send_encoded(const rt::Slice& frames) override;
    void close(std::uint16_t code, std::string_view reason) override;
    /// A receiver that has gone ends the session; nothing else has to be looked for.
    void keep_alive(SteadyTime, const WsPatience&) override {}
    /// Answers the sender that waited until the app could take more.
    void resume() override;
    [[nodiscard]] std::size_t queued() const override;
    [[nodiscard]] StompFraming framing() const override { return StompFraming::kSockJsHttp; }

private:
    static void acknowledge(Exchange& sender, Sender kind);
    static void begin(Exchange& exchange, const wire::SockJsFraming& framing);
    void write(std::string_view frame);
    void write_out();
    void plan_flush();
    void watch_drain();
    void release_receiver();
    void interrupted();
    void on_timer();
    void tell_closed();

    rt::Loop& loop_;
    const std::shared_ptr<LinkApp> app_;
    const std::string query_identity_;
    const SockJsOptions& options_;
    std::string waiting_;      ///< JSON strings joined by commas
    std::string close_frame_;  ///< set when it has ended
    ExchangeRef receiver_;
    ExchangeRef sender_;  ///< its messages have not all been taken by the app
    wire::SockJsFraming framing_{wire::SockJsTransport::kXhr};
    Sender sender_kind_ = Sender::kXhr;
    std::size_t streamed_ = 0;
    rt::Timer timer_;  ///< heart-beat with a receiver, end without
    SteadyTime ended_at_;
    bool opened_ = false;  ///< `o` has been sent
    bool app_closed_ = false;
    bool flush_planned_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::gateway
