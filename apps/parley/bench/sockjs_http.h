#pragma once
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/parley_stomp.h"
#include "wire/sockjs.h"

namespace parley::bench {

/// The way to the server of a SockJS session over HTTP: one request at a time, with all that has come up meanwhile.
/// Thread: one.
class SockJsSends final : public HttpConversation {
public:
    /// `head`: the request up to its Content-Length.
    SockJsSends(ParleyStomp& stomp, std::string head) : stomp_(stomp), head_(std::move(head)) {}
    /// `frame` goes with the next request.
    void add(std::string_view frame);

    void begin(std::string&) override {}
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        add(stomp_.send_frame(stamp, size));
        append_waiting(out);
    }
    void append_waiting(std::string& out) override;

private:
    [[nodiscard]] bool is_good(int status) const override { return status == 204 || status == 200; }
    void on_body(std::string_view, std::string&, Events&) override {}
    void on_done(std::string& out, Events& events) override;

    ParleyStomp& stomp_;
    const std::string head_;
    std::string waiting_;
    bool live_ = false;
};

/// STOMP over a SockJS session that comes by HTTP: streams or polls, and SockJsSends for the way back.
/// Thread: one. Owns the way back.
class SockJsHttp final : public HttpConversation {
public:
    struct Options {
        wire::SockJsTransport transport = wire::SockJsTransport::kXhr;
        std::string host;
        std::string path;  ///< of the session
        std::string query;
    };
    SockJsHttp(ParleyStompTools& tools, Seat seat, const Options& options);

    void begin(std::string& out) override { ask(out); }
    /// All of it goes by the way back.
    void append_send(std::string&, const Stamp&, std::size_t) override {}
    [[nodiscard]] Conversation* way_back() override { return &sends_; }

private:
    void on_body(std::string_view piece, std::string& out, Events& events) override;
    void on_done(std::string& out, Events&) override {
        lines_.clear();
        ask(out);
    }
    void ask(std::string& out);
    void on_line(std::string_view line, Events& events);
    void on_frame(std::string_view frame, Events& events);

    const Seat seat_;
    const wire::SockJsTransport transport_;
    const std::string request_;
    ParleyStomp stomp_;
    SockJsSends sends_;
    PartCutter lines_{"\n"};
};

}  // namespace parley::bench
