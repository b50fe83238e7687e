#pragma once
#include <functional>
#include <memory>

#include "gateway/door.h"
#include "gateway/exchange.h"
#include "rt/connection.h"
#include "wire/forwarded.h"
#include "wire/http_parser.h"

namespace parley::gateway {

/// HTTP/1.x on one connection: requests one after the other, until one of them upgrades.
///
/// Thread: core-local. Owned by its connection.
/// Order:  a pipelined request waits until the one before is answered.
/// Limit:  handshake_time for a head, from its first byte or from connecting; body_time for its body, whose size is by
///         route; idle_time until the next request. Requests wait while the send buffer is full of answers.
/// Fails:  what cannot be parsed gets its status, then the server half-closes and discards.
class HttpSession final : public rt::Connection::Handler {
public:
    struct Options {
        wire::HttpLimits limits;
        milliseconds handshake_time{10'000};
        milliseconds body_time{30'000};
        milliseconds idle_time{75'000};
        wire::TrustedProxies proxies{};
        seconds hsts{0};
    };
    /// Judges what arrives. on_head may lower or raise the body limit before the body is read.
    struct Service {
        std::function<Bytes(const wire::HttpRequest&)> body_limit;
        std::function<void(ExchangeRef)> serve;
        std::function<std::string_view()> date;
        /// Hears why a request was refused where the server failed at it: the client does not.
        std::function<void(const Error&)> failed = [](const Error&) {};
    };

    HttpSession(rt::Loop& loop, const Service& service, const Options& options, Arrival arrival);
    ~HttpSession() override;

    /// Serves a request that another core had read.
    void adopt(wire::HttpRequest request);

    void on_open(rt::Connection& connection) override { connection_ = &connection; }
    std::size_t on_data(rt::Connection& connection, std::span<char> bytes) override;
    void on_plain_text(rt::Connection& connection) override;
    void on_end_of_input(rt::Connection& connection) override;
    void on_drained(rt::Connection& connection) override;
    void on_closed(rt::Connection& connection) override;

private:
    friend class Exchange;
    void answered(bool keep_alive);
    void on_timeout();
    void serve(wire::HttpRequest request);
    void refuse(rt::Connection& connection, const wire::HttpFault& fault);

    rt::Loop& loop_;
    const Service& service_;
    const Options& options_;
    const Arrival arrival_;
    std::unique_ptr<wire::HttpRequestParser> parser_;  ///< null while an answer waits long
    ExchangeRef current_;
    rt::Connection* connection_ = nullptr;
    rt::Timer timeout_;
    bool end_of_input_ = false;
    bool serving_ = false;  ///< inside serve(): an answer now needs no resume
};

}  // namespace parley::gateway
