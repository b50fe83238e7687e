#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/function.h"
#include "base/result.h"
#include "gateway/door.h"
#include "rt/connection.h"
#include "wire/forwarded.h"
#include "wire/http_request.h"
#include "wire/http_response.h"

namespace parley::gateway {

class HttpSession;

/// One HTTP request and its answer, which may come later.
///
/// Thread: core-local. Shared by the connection and whoever will answer; outlives the connection.
/// Order:  exactly one answer; the connection reads its next request after it.
/// Fails:  an answer to a connection that has gone has no effect.
class Exchange : public std::enable_shared_from_this<Exchange> {
public:
    Exchange(HttpSession& session, rt::Connection& connection, wire::HttpRequest request);

    [[nodiscard]] const wire::HttpRequest& request() const noexcept { return request_; }
    [[nodiscard]] bool is_open() const noexcept { return session_ != nullptr; }
    /// Null once the connection has gone.
    [[nodiscard]] rt::Connection* connection() noexcept { return connection_; }
    /// The client's address, by what trusted proxies say.
    [[nodiscard]] const std::string& peer() const noexcept { return client_.address; }
    /// The client speaks TLS, with us or with a trusted proxy.
    [[nodiscard]] bool is_secure() const noexcept { return client_.secure; }
    /// Another server of the fleet brought it.
    [[nodiscard]] bool is_relayed() const noexcept { return is_relayed_; }
    /// It came from this machine with no proxy between: Host must name this machine.
    [[nodiscard]] bool is_local() const noexcept { return is_local_; }

    /// Fields that every answer to this request carries (CORS).
    void add_field(std::string name, std::string value);
    void respond(int status, std::vector<wire::HttpField> fields, std::string_view body);
    void respond_json(int status, std::string_view json, std::vector<wire::HttpField> fields = {});
    /// `{"code","message"}` with the code's HTTP status; 503 and 429 carry Retry-After. `wait`: what a rate said.
    void refuse(const Error& error, milliseconds wait = {});
    /// As refuse(), with a status other than the code's own.
    void refuse(int status, const Error& error, milliseconds wait = {});
    /// As refuse(), and no request after this one.
    void refuse_and_close(const Error& error);
    /// Where the server failed at it, the operator hears why.
    void note_failure(const Error& error);

    /// Begins an answer of unknown length. The connection closes at end_stream() where it must.
    void begin_stream(int status, std::vector<wire::HttpField> fields);
    void write(std::string_view piece);
    void end_stream();

    /// Gives the connection to `handler`, which answers.
    void hand_over(std::unique_ptr<rt::Connection::Handler> handler);
    /// Answers `response` as it is and gives the connection to `handler`.
    void upgrade(std::string_view response, std::unique_ptr<rt::Connection::Handler> handler);

    /// Begins an answer of unknown length on a connection that closes after it, and gives the connection to
    /// `make(framing)`: nothing of HTTP stays in memory. A HEAD request is answered, and nothing is made.
    using MakeStream = UniqueFunction<std::unique_ptr<rt::Connection::Handler>(wire::HttpBodyFraming)>;
    void become_stream(std::vector<wire::HttpField> fields, MakeStream make);
    /// Frees what of the request and its reading an answer does not need: for one that waits long.
    void forget_request();

    /// Gives the connection and its request to another loop; `arrive` runs there. This exchange is over.
    using Arrive = UniqueFunction<void(rt::Connection::Detached, wire::HttpRequest, Arrival)>;
    void move_to(rt::Loop& loop, Arrive arrive);

    /// Called once when the connection goes before the answer is complete.
    void on_gone(UniqueFunction<void()> callback) { gone_ = std::move(callback); }
    /// Called once when the client has ended its side before the answer began: it may have gone, so who waits
    /// answers now. A stream is aborted.
    void on_end_of_input(UniqueFunction<void()> callback) { hurry_ = std::move(callback); }
    [[nodiscard]] bool has_input_ended() const noexcept;
    /// Called once, when a connection that could not take more can again.
    void on_drained(UniqueFunction<void()> callback) { drained_ = std::move(callback); }

private:
    friend class HttpSession;
    [[nodiscard]] wire::HttpResponseHead head(int status, std::vector<wire::HttpField> fields) const;
    void detach();
    void finished();

    HttpSession* session_;
    rt::Connection* connection_;
    wire::HttpRequest request_;
    wire::Client client_;
    bool is_local_;
    bool is_relayed_;
    std::vector<std::pair<std::string, std::string>> common_fields_;
    UniqueFunction<void()> gone_;
    UniqueFunction<void()> drained_;
    UniqueFunction<void()> hurry_;
    wire::HttpBodyFraming framing_ = wire::HttpBodyFraming::kNone;
    bool streaming_ = false;
};
using ExchangeRef = std::shared_ptr<Exchange>;

/// The value of Retry-After, whole seconds: `wait` rounded up, else what suits the reason. Empty: the status has none.
[[nodiscard]] std::string retry_after(int status, Code code, milliseconds wait);

/// METHOD_NOT_ALLOWED; `allow` names the methods there are.
void refuse_method(const ExchangeRef& exchange, std::string_view allow);

/// `{"code":"…","message":"…"}`; `extra` is further members, `"epoch":"3"`, or empty.
[[nodiscard]] std::string error_json(Code code, std::string_view message, std::string_view extra = {});

}  // namespace parley::gateway
