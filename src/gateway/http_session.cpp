#include "gateway/http_session.h"

#include <utility>

namespace parley::gateway {
namespace {
/// What a client may send ahead of the answer it waits for.
constexpr std::size_t kPipelineBytes = 64 * 1024;
}  // namespace

HttpSession::HttpSession(rt::Loop& loop, const Service& service, const Options& options, Arrival arrival)
    : loop_(loop),
      service_(service),
      options_(options),
      arrival_(std::move(arrival)),
      parser_(std::make_unique<wire::HttpRequestParser>(options.limits)),
      timeout_(rt::Timer::of<&HttpSession::on_timeout>(this)) {
    loop_.arm(timeout_, options_.handshake_time);
}

HttpSession::~HttpSession() {
    if (current_ != nullptr) current_->detach();
}

std::size_t HttpSession::on_data(rt::Connection& connection, std::span<char> bytes) {
    if (current_ != nullptr) {
        if (bytes.size() > kPipelineBytes || connection.set().is_short_of_memory()) connection.pause_reading();
        return 0;
    }
    if (!connection.can_take()) {
        connection.pause_reading();  // who does not read its answers asks no more
        return 0;
    }
    if (parser_->idle() && !timeout_.armed()) loop_.arm(timeout_, options_.handshake_time);
    const bool was_idle = parser_->idle();
    auto progress = parser_->feed({bytes.data(), bytes.size()});
    std::size_t used = progress.consumed;
    if (was_idle && !parser_->idle()) loop_.arm(timeout_, options_.handshake_time);
    bool has_head = false;
    while (progress.step == wire::HttpStep::kHead) {
        has_head = true;
        parser_->set_body_limit(service_.body_limit(parser_->request()));
        const bool expects_continue = parser_->request().expect_continue;
        // A body that is too large is refused before it is asked for.
        if (expects_continue) progress = parser_->feed({});
        if (expects_continue && progress.step != wire::HttpStep::kFault) {
            std::string out;
            wire::append_continue(out);
            connection.send_copy(out);
        }
        if (progress.step == wire::HttpStep::kFault) break;
        progress = parser_->feed({bytes.data() + used, bytes.size() - used});
        used += progress.consumed;
    }
    if (progress.step == wire::HttpStep::kFault) {
        refuse(connection, parser_->fault());
        return bytes.size();
    }
    if (progress.step == wire::HttpStep::kNeedMore) {
        if (has_head) loop_.arm(timeout_, options_.body_time);
        // Its time goes on: what came of it is given back then.
        if (!parser_->request().body.empty() && connection.set().is_short_of_memory()) connection.wait_for_memory();
        return used;
    }

    wire::HttpRequest request = parser_->take_request();
    parser_->reset();
    serve(std::move(request));
    return used;
}

void HttpSession::serve(wire::HttpRequest request) {
    timeout_.cancel();
    current_ = std::make_shared<Exchange>(*this, *connection_, std::move(request));
    serving_ = true;
    const auto exchange = current_;
    service_.serve(exchange);
    serving_ = false;
}

void HttpSession::adopt(wire::HttpRequest request) {
    serve(std::move(request));
    connection_->resume_reading();
}

void HttpSession::refuse(rt::Connection& connection, const wire::HttpFault& fault) {
    wire::HttpResponseHead head;
    head.status = fault.status;
    head.fields = {{"Content-Type", "application/json; charset=utf-8"}, {"Cache-Control", "no-store"}};
    head.keep_alive = false;
    head.date = service_.date();
    std::string out;
    const Code code = fault.status == 413 ? Code::kMessageTooLarge : Code::kBadRequest;
    wire::append_response(out, head, error_json(code, fault.text));
    connection.send_copy(out);
    timeout_.cancel();
    connection.finish();
}

void HttpSession::answered(bool keep_alive) {
    current_.reset();
    if (!keep_alive) {
        timeout_.cancel();
        connection_->finish();
        return;
    }
    if (parser_ == nullptr) parser_ = std::make_unique<wire::HttpRequestParser>(options_.limits);
    loop_.arm(timeout_, options_.idle_time);
    if (!serving_) {
        // What was sent ahead is waiting in the connection.
        connection_->resume_reading();
    }
}

void HttpSession::on_timeout() {
    if (parser_->idle()) {
        connection_->finish();  // nothing was asked, so nothing is answered
    } else {
        refuse(*connection_, {408, "the request did not arrive in time"});
    }
}

void HttpSession::on_plain_text(rt::Connection& connection) {
    refuse(connection, {400, "this port speaks TLS: https:// or wss://"});
}

void HttpSession::on_end_of_input(rt::Connection& connection) {
    end_of_input_ = true;
    if (current_ != nullptr) {
        if (current_->streaming_) {
            connection.abort();
        } else if (current_->hurry_) {
            auto hurry = std::exchange(current_->hurry_, nullptr);
            hurry();
        }
    } else if (parser_->idle()) {
        timeout_.cancel();
        connection.finish();  // answers that are on their way still arrive
    } else {
        refuse(connection, {400, "the request is not complete"});
    }
}

void HttpSession::on_drained(rt::Connection& connection) {
    if (current_ == nullptr) {
        connection.resume_reading();
        return;
    }
    if (!current_->drained_) return;
    auto drained = std::exchange(current_->drained_, nullptr);
    drained();
}

void HttpSession::on_closed(rt::Connection&) {
    timeout_.cancel();
    if (current_ == nullptr) return;
    const auto exchange = std::move(current_);
    exchange->detach();
}

}  // namespace parley::gateway
