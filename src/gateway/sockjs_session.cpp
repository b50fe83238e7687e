#include "gateway/sockjs_session.h"

#include "gateway/sockjs_headers.h"
#include "wire/query.h"
#include "wire/sockjs.h"
#include "wire/utf8.h"

namespace parley::gateway {
namespace {
/// How long an ended session still answers with its close frame.
constexpr seconds kLastWord{5};
const std::vector<wire::HttpField> kSendFields{{"Content-Type", "text/plain; charset=UTF-8"},
                                               {"Cache-Control", kSockJsNoCache}};

/// The payload of a jsonp_send: the field `d` of a form, or the body itself. Empty: there is none.
Result<std::string> jsonp_payload(const wire::HttpRequest& request) {
    const std::string_view type = request.headers.find("content-type").value_or("");
    const std::string_view plain_type = type.substr(0, type.find(';'));
    if (plain_type.empty() || wire::iequals(plain_type, "text/plain")) return request.body;
    if (!wire::iequals(plain_type, "application/x-www-form-urlencoded")) return std::string{};
    const auto form = wire::QueryParams::parse(request.body, Bytes{request.body.size()});
    if (!form) return fail(Code::kInvalidPayload, std::string{wire::kSockJsBrokenJson});
    return form->get("d").value_or("");
}

}  // namespace

SockJsHttpSession::SockJsHttpSession(rt::Loop& loop, std::shared_ptr<LinkApp> app, std::string query_identity,
                                     const SockJsOptions& options)
    : loop_(loop),
      app_(std::move(app)),
      query_identity_(std::move(query_identity)),
      options_(options),
      timer_(rt::Timer::of<&SockJsHttpSession::on_timer>(this)) {}

SockJsHttpSession::~SockJsHttpSession() { tell_closed(); }

bool SockJsHttpSession::is_done(SteadyTime now) const noexcept {
    return !close_frame_.empty() && receiver_ == nullptr && now - ended_at_ > kLastWord;
}

void SockJsHttpSession::begin(Exchange& exchange, const wire::SockJsFraming& framing) {
    std::vector<wire::HttpField> fields{{"Content-Type", framing.content_type()}, {"Cache-Control", kSockJsNoCache}};
    if (framing.streams()) fields.push_back({"X-Accel-Buffering", "no"});
    fields.push_back({"X-Content-Type-Options", "nosniff"});
    exchange.begin_stream(200, std::move(fields));
    exchange.write(framing.prelude());
}

void SockJsHttpSession::answer_closed(Exchange& receiver, const wire::SockJsFraming& framing,
                                      std::string_view close_frame) {
    std::string out;
    framing.append(out, close_frame);
    begin(receiver, framing);
    receiver.write(out);
    receiver.end_stream();
}

void SockJsHttpSession::receive(ExchangeRef exchange, wire::SockJsFraming framing) {
    if (receiver_ != nullptr) {
        answer_closed(*exchange, framing, wire::sockjs_close_frame(2010, "Another connection still open"));
        return;
    }
    if (!close_frame_.empty() && waiting_.empty() && opened_) {
        answer_closed(*exchange, framing, close_frame_);
        return;
    }
    if (!exchange->is_open()) {
        interrupted();
        return;
    }
    timer_.cancel();
    receiver_ = std::move(exchange);
    framing_ = std::move(framing);
    streamed_ = 0;
    receiver_->on_gone([this, alive = std::weak_ptr<bool>{alive_}] {
        if (!alive.expired()) interrupted();
    });
    watch_drain();
    begin(*receiver_, framing_);
    loop_.arm(timer_, options_.heartbeat);
    if (!opened_) {
        opened_ = true;
        write(wire::kSockJsOpen);
        if (!framing_.streams()) {
            release_receiver();
            return;
        }
    }
    write_out();
}

void SockJsHttpSession::take(ExchangeRef exchange, Sender kind) {
    if (!close_frame_.empty()) {
        exchange->respond(404, kSendFields, "");
        return;
    }
    auto payload = kind == Sender::kJsonp ? jsonp_payload(exchange->request()) : exchange->request().body;
    const auto messages =
        payload ? wire::parse_sockjs_messages(*payload, wire::SockJsSource::kHttp) : fail(payload.error());
    if (!messages) {
        exchange->respond(500, kSendFields, messages.error().message);
        return;
    }
    if (sender_ != nullptr && sender_->is_open()) {
        exchange->refuse(503, {Code::kServerFull, "the request before is not taken yet"});
        return;
    }
    wire::Flow flow = wire::Flow::kContinue;
    for (const std::string& message : *messages) {
        if (app_closed_) break;
        flow = app_->on_message(message);
    }
    if (flow == wire::Flow::kPause && !app_closed_) {
        sender_ = std::move(exchange);
        sender_kind_ = kind;
    } else {
        acknowledge(*exchange, kind);
    }
}

void SockJsHttpSession::acknowledge(Exchange& sender, Sender kind) {
    if (kind == Sender::kJsonp) {
        sender.respond(200, kSendFields, "ok");
    } else {
        sender.respond(204, kSendFields, "");
    }
}

void SockJsHttpSession::send(std::string_view message) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    std::string repaired;
    wire::append_sockjs_string(waiting_, wire::as_utf8(message, repaired));
    plan_flush();
}

void SockJsHttpSession::send_encoded(const rt::Slice& frames) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    waiting_ += frames.view();
    plan_flush();
}

void SockJsHttpSession::resume() {
    if (const ExchangeRef sender = std::exchange(sender_, nullptr)) acknowledge(*sender, sender_kind_);
}

void SockJsHttpSession::plan_flush() {
    if (flush_planned_ || receiver_ == nullptr || waiting_.empty()) return;
    // What one turn sends goes out as one array.
    flush_planned_ = true;
    loop_.next_turn([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        flush_planned_ = false;
        if (receiver_ != nullptr) write_out();
    });
}

void SockJsHttpSession::watch_drain() {
    receiver_->on_drained([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired() || receiver_ == nullptr) return;
        watch_drain();
        if (!app_closed_) app_->on_drained();
    });
}

std::size_t SockJsHttpSession::queued() const {
    std::size_t bytes = waiting_.size();
    if (receiver_ != nullptr && receiver_->connection() != nullptr) bytes += receiver_->connection()->queued();
    return bytes;
}

void SockJsHttpSession::close(std::uint16_t code, std::string_view reason) {
    if (!close_frame_.empty()) return;
    close_frame_ = wire::sockjs_close_frame(code, reason);
    ended_at_ = loop_.now();
    timer_.cancel();
    if (receiver_ != nullptr) write_out();
    tell_closed();
}

void SockJsHttpSession::tell_closed() {
    if (app_closed_) return;
    app_closed_ = true;
    app_->on_closed();
    resume();
}

void SockJsHttpSession::write(std::string_view frame) {
    std::string line;
    framing_.append(line, frame);
    streamed_ += line.size();
    receiver_->write(line);
}

void SockJsHttpSession::write_out() {
    const bool had_messages = !waiting_.empty();
    if (had_messages) {
        std::string frame;
        frame.reserve(waiting_.size() + 3);
        frame += "a[";
        frame += waiting_;
        frame += ']';
        waiting_.clear();
        waiting_.shrink_to_fit();
        write(frame);
    }
    if (!close_frame_.empty() && (framing_.streams() || !had_messages)) {
        write(close_frame_);
        release_receiver();
    } else if ((!framing_.streams() && had_messages) || streamed_ >= options_.response_limit) {
        release_receiver();
    }
    if (had_messages && !app_closed_) app_->on_drained();
}

void SockJsHttpSession::release_receiver() {
    const ExchangeRef receiver = std::move(receiver_);
    receiver_.reset();
    receiver->on_gone(nullptr);
    receiver->on_drained(nullptr);
    receiver->end_stream();
    timer_.cancel();
    if (close_frame_.empty()) loop_.arm(timer_, options_.disconnect_delay);
}

void SockJsHttpSession::interrupted() {
    receiver_.reset();
    timer_.cancel();
    if (close_frame_.empty()) {
        close_frame_ = wire::sockjs_close_frame(1002, "Connection interrupted");
        ended_at_ = loop_.now();
        waiting_.clear();
    }
    tell_closed();
}

void SockJsHttpSession::on_timer() {
    if (receiver_ != nullptr) {
        write(wire::kSockJsHeartbeat);
        loop_.arm(timer_, options_.heartbeat);
        if (!framing_.streams()) release_receiver();
        return;
    }
    // Nobody asked for a while: the client has gone.
    if (close_frame_.empty()) {
        close_frame_ = wire::sockjs_close_frame(3000, "Go away!");
        ended_at_ = loop_.now();
    }
    tell_closed();
}

}  // namespace parley::gateway
