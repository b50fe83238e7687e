#include "gateway/sockjs_session.h"

#include "wire/sockjs.h"

namespace parley::gateway {
namespace {
/// How long an ended session still answers with its close frame.
constexpr seconds kLastWord{5};
constexpr std::string_view kNoCache = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
const std::vector<wire::HttpField> kSendFields{{"Content-Type", "text/plain; charset=UTF-8"},
                                               {"Cache-Control", kNoCache}};
}  // namespace

SockJsHttpSession::SockJsHttpSession(rt::Loop& loop, std::unique_ptr<SockJsApp> app, std::string query_identity,
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

void SockJsHttpSession::receive(ExchangeRef exchange, Receiver kind) {
    const bool streaming = kind == Receiver::kStreaming;
    std::vector<wire::HttpField> fields{{"Content-Type", "application/javascript; charset=UTF-8"},
                                        {"Cache-Control", kNoCache}};
    const auto answer = [&](const std::string& frame) {
        exchange->begin_stream(200, fields);
        if (streaming) exchange->write(wire::sockjs_prelude());
        exchange->write(frame + '\n');
        exchange->end_stream();
    };
    if (receiver_ != nullptr) {
        answer(wire::sockjs_close_frame(2010, "Another connection still open"));
        return;
    }
    if (!close_frame_.empty() && waiting_.empty() && opened_) {
        answer(close_frame_);
        return;
    }
    if (!exchange->is_open()) {
        interrupted();
        return;
    }
    timer_.cancel();
    receiver_ = std::move(exchange);
    kind_ = kind;
    streamed_ = 0;
    receiver_->on_gone([this, alive = std::weak_ptr<bool>{alive_}] {
        if (!alive.expired()) interrupted();
    });
    watch_drain();
    receiver_->begin_stream(200, fields);
    if (streaming) receiver_->write(wire::sockjs_prelude());
    loop_.arm(timer_, options_.heartbeat);
    if (!opened_) {
        opened_ = true;
        write(wire::kSockJsOpen);
        if (kind == Receiver::kPolling) {
            release_receiver();
            return;
        }
    }
    write_out();
}

void SockJsHttpSession::take(ExchangeRef exchange) {
    if (!close_frame_.empty()) {
        exchange->respond(404, kSendFields, "");
        return;
    }
    const auto messages = wire::parse_sockjs_messages(exchange->request().body, wire::SockJsSource::kHttp);
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
    } else {
        exchange->respond(204, kSendFields, "");
    }
}

void SockJsHttpSession::send(std::string_view message) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    wire::append_sockjs_string(waiting_, message);
    plan_flush();
}

void SockJsHttpSession::send_encoded(const rt::Slice& frames) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    waiting_ += frames.view();
    plan_flush();
}

void SockJsHttpSession::resume() {
    if (const ExchangeRef sender = std::exchange(sender_, nullptr)) sender->respond(204, kSendFields, "");
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

void SockJsHttpSession::close(int code, std::string_view reason) {
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
    std::string line{frame};
    line += '\n';
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
    if (!close_frame_.empty() && (kind_ == Receiver::kStreaming || !had_messages)) {
        write(close_frame_);
        release_receiver();
    } else if ((kind_ == Receiver::kPolling && had_messages) || streamed_ >= options_.response_limit) {
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
        if (kind_ == Receiver::kPolling) release_receiver();
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
