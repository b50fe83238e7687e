#include "gateway/sockjs_session.h"

#include "wire/sockjs.h"

namespace parley::gateway {
namespace {
/// How long an ended session still answers with its close frame.
constexpr seconds kLastWord{5};
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
                                        {"Cache-Control", "no-store, no-cache, no-transform, must-revalidate, max-age=0"}};
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
    timer_.cancel();
    receiver_ = std::move(exchange);
    kind_ = kind;
    streamed_ = 0;
    receiver_->on_gone([this, alive = std::weak_ptr<bool>{alive_}] {
        if (!alive.expired()) interrupted();
    });
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
    std::vector<wire::HttpField> fields{{"Content-Type", "text/plain; charset=UTF-8"},
                                        {"Cache-Control", "no-store, no-cache, no-transform, must-revalidate, max-age=0"}};
    if (!close_frame_.empty()) {
        exchange->respond(404, fields, "");
        return;
    }
    const auto messages = wire::parse_sockjs_messages(exchange->request().body, wire::SockJsSource::kHttp);
    if (!messages) {
        exchange->respond(500, fields, messages.error().message);
        return;
    }
    for (const std::string& message : *messages) {
        if (app_closed_) break;
        (void)app_->on_message(message);
    }
    exchange->respond(204, fields, "");
}

void SockJsHttpSession::send(std::string_view message) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    wire::append_sockjs_string(waiting_, message);
    resume();
}

void SockJsHttpSession::send_encoded(const rt::Slice& frames) {
    if (!close_frame_.empty()) return;
    if (!waiting_.empty()) waiting_ += ',';
    waiting_ += frames.view();
    resume();
}

void SockJsHttpSession::resume() {
    if (flush_planned_ || receiver_ == nullptr || waiting_.empty()) return;
    // What one turn sends goes out as one array.
    flush_planned_ = true;
    loop_.next_turn([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        flush_planned_ = false;
        if (receiver_ != nullptr) write_out();
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
