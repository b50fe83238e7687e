#include "gateway/exchange.h"

#include <algorithm>

#include "base/message.h"
#include "gateway/http_session.h"
#include "gateway/refusals.h"

namespace parley::gateway {
namespace {

/// Sessions leave one by one; another server, or this one started again, is there sooner.
constexpr seconds kFullRetry{5};
constexpr seconds kDrainRetry{2};

}  // namespace

std::string error_json(Code code, std::string_view message, std::string_view extra) {
    std::string out = R"({"code":")";
    out += name(code);
    out += R"(","message":)";
    append_json_string(out, message.empty() ? info(code).english : message);
    if (!extra.empty()) {
        out += ',';
        out += extra;
    }
    out += '}';
    return out;
}

void refuse_method(const ExchangeRef& exchange, std::string_view allow) {
    exchange->add_field("Allow", std::string{allow});
    exchange->refuse({Code::kMethodNotAllowed, {}});
}

std::string retry_after(int status, Code code, milliseconds wait) {
    if (status != 429 && status != 503) return {};
    seconds whole = std::chrono::ceil<seconds>(wait);
    if (code == Code::kServerFull) whole = kFullRetry;
    if (code == Code::kDraining) whole = kDrainRetry;
    return std::to_string(std::max(whole, seconds{1}).count());
}

Exchange::Exchange(HttpSession& session, rt::Connection& connection, wire::HttpRequest request)
    : session_(&session), connection_(&connection), request_(std::move(request)) {
    const auto& [door, peer, secure] = session.arrival_;
    is_relayed_ = door->for_servers;
    client_ = is_relayed_ ? wire::Client{peer, secure, true}
                          : wire::find_client(session.options_.proxies, peer.empty() ? connection.peer_address() : peer,
                                              connection.is_tls(), request_.headers);
    if (client_.secure && session.options_.hsts.count() > 0) {
        add_field("Strict-Transport-Security", "max-age=" + std::to_string(session.options_.hsts.count()));
    }
    is_local_ = door->at.is_loopback() && !door->proxy_protocol && !client_.proxied;
}

bool Exchange::has_input_ended() const noexcept { return session_ == nullptr || session_->end_of_input_; }

void Exchange::add_field(std::string name, std::string value) {
    common_fields_.emplace_back(std::move(name), std::move(value));
}

wire::HttpResponseHead Exchange::head(int status, std::vector<wire::HttpField> fields) const {
    for (const auto& [name, value] : common_fields_) fields.push_back({name, value});
    wire::HttpResponseHead head;
    head.status = status;
    head.fields = std::move(fields);
    head.keep_alive = request_.keep_alive && !session_->end_of_input_;
    head.version_minor = request_.version_minor;
    head.head_only = request_.method == "HEAD";
    head.date = session_->service_.date();
    return head;
}

void Exchange::respond(int status, std::vector<wire::HttpField> fields, std::string_view body) {
    if (session_ == nullptr) return;
    std::string out;
    const auto h = head(status, std::move(fields));
    wire::append_response(out, h, body);
    connection_->send_copy(out);
    HttpSession* session = session_;
    finished();
    session->answered(h.keep_alive);
}

void Exchange::respond_json(int status, std::string_view json, std::vector<wire::HttpField> fields) {
    fields.push_back({"Content-Type", "application/json; charset=utf-8"});
    fields.push_back({"Cache-Control", "no-store"});
    respond(status, std::move(fields), json);
}

void Exchange::refuse(const Error& error, milliseconds wait) { refuse(info(error.code).http_status, error, wait); }

void Exchange::refuse(int status, const Error& error, milliseconds wait) {
    std::vector<wire::HttpField> fields;
    const std::string later = retry_after(status, error.code, wait);
    if (!later.empty()) fields.push_back({"Retry-After", later});
    if (status == 401) fields.push_back({"WWW-Authenticate", "Bearer"});
    note_failure(error);
    respond_json(status, error_json(error.code, told_to_clients(error)), std::move(fields));
}

void Exchange::note_failure(const Error& error) {
    if (session_ != nullptr && is_own_fault(error.code)) session_->service_.failed(error);
}

void Exchange::refuse_and_close(const Error& error) {
    request_.keep_alive = false;
    refuse(error);
}

void Exchange::begin_stream(int status, std::vector<wire::HttpField> fields) {
    if (session_ == nullptr) return;
    std::string out;
    framing_ = wire::append_response_head(out, head(status, std::move(fields)));
    streaming_ = true;
    connection_->send_copy(out);
    if (has_input_ended()) connection_->abort();
}

void Exchange::write(std::string_view piece) {
    if (session_ == nullptr || piece.empty()) return;
    if (framing_ == wire::HttpBodyFraming::kUntilClose) {
        connection_->send_copy(piece);
    } else if (framing_ == wire::HttpBodyFraming::kChunked) {
        std::string out;
        out.reserve(piece.size() + 16);
        wire::append_chunk(out, piece);
        connection_->send_copy(out);
    }
}

void Exchange::end_stream() {
    if (session_ == nullptr) return;
    if (framing_ == wire::HttpBodyFraming::kChunked) {
        std::string out;
        wire::append_last_chunk(out);
        connection_->send_copy(out);
    }
    const bool keep_alive =
        request_.keep_alive && framing_ != wire::HttpBodyFraming::kUntilClose && !session_->end_of_input_;
    HttpSession* session = session_;
    finished();
    session->answered(keep_alive);
}

void Exchange::upgrade(std::string_view response, std::unique_ptr<rt::Connection::Handler> handler) {
    if (session_ == nullptr) return;
    connection_->send_copy(response);
    if (has_input_ended()) connection_->abort();
    hand_over(std::move(handler));
}

void Exchange::hand_over(std::unique_ptr<rt::Connection::Handler> handler) {
    if (session_ == nullptr) return;
    rt::Connection& connection = *connection_;
    HttpSession& session = *session_;
    finished();
    session.current_.reset();
    session.timeout_.cancel();
    connection.set_handler(std::move(handler));
    connection.resume_reading();
}

void Exchange::become_stream(std::vector<wire::HttpField> fields, MakeStream make) {
    if (session_ == nullptr) return;
    auto h = head(200, std::move(fields));
    h.keep_alive = false;
    std::string out;
    const auto framing = wire::append_response_head(out, h);
    if (framing != wire::HttpBodyFraming::kNone) {
        upgrade(out, make(framing));
        return;
    }
    connection_->send_copy(out);
    HttpSession* session = session_;
    finished();
    session->answered(false);
}

void Exchange::forget_request() {
    wire::HttpRequest rest;
    rest.method = std::move(request_.method);
    rest.version_minor = request_.version_minor;
    rest.keep_alive = request_.keep_alive;
    request_ = std::move(rest);
    if (session_ != nullptr) session_->parser_.reset();  // until the answer has been given
}

void Exchange::move_to(rt::Loop& loop, Arrive arrive) {
    if (session_ == nullptr) return;
    // Not from inside the read that brought the request: what came behind it has to go along.
    connection_->loop().next_turn([self = shared_from_this(), &loop, arrive = std::move(arrive)]() mutable {
        if (self->session_ == nullptr) return;
        rt::Connection& connection = *self->connection_;
        Arrival arrival = self->session_->arrival_;
        self->session_->timeout_.cancel();
        self->session_->current_.reset();
        self->finished();
        loop.post([arrive = std::move(arrive), detached = connection.detach(), request = std::move(self->request_),
                   arrival = std::move(arrival)]() mutable {
            arrive(std::move(detached), std::move(request), std::move(arrival));
        });
    });
}

void Exchange::finished() {
    session_ = nullptr;
    connection_ = nullptr;
    gone_ = nullptr;
    drained_ = nullptr;
    hurry_ = nullptr;
}

void Exchange::detach() {
    if (session_ == nullptr) return;
    auto gone = std::move(gone_);
    finished();
    if (gone) gone();
}

}  // namespace parley::gateway
