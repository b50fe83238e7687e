#include "bench/sockjs_http.h"

#include <fmt/format.h>

#include "wire/json.h"

namespace parley::bench {
namespace {

using wire::SockJsTransport;

/// Where a transport asks, and how its frames stand in a line.
struct Shape {
    std::string_view method;
    std::string_view path;
    std::string_view before;  ///< of a line with a frame
    std::string_view after;
    bool in_string = false;  ///< the frame is written as a JSON string
};

Shape shape_of(SockJsTransport transport) {
    switch (transport) {
        case SockJsTransport::kXhrStreaming: return {"POST", "xhr_streaming", "", "", false};
        case SockJsTransport::kEventSource: return {"GET", "eventsource", "data: ", "", false};
        case SockJsTransport::kHtmlFile: return {"GET", "htmlfile", "p(", ");", true};
        case SockJsTransport::kJsonp: return {"GET", "jsonp", "/**/b(", ");", true};
        default: return {"POST", "xhr", "", "", false};
    }
}

std::string request_of(const SockJsHttp::Options& options) {
    const Shape shape = shape_of(options.transport);
    return fmt::format("{} {}/{}?{}{} HTTP/1.1\r\nHost: {}\r\n{}\r\n", shape.method, options.path, shape.path,
                       shape.in_string ? "c=b&" : "", options.query, options.host,
                       shape.method == "POST" ? "Content-Length: 0\r\n" : "");
}

std::string send_head_of(const SockJsHttp::Options& options) {
    const bool jsonp = options.transport == SockJsTransport::kJsonp;
    return fmt::format("POST {}/{}?{} HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: ",
                       options.path, jsonp ? "jsonp_send" : "xhr_send", options.query, options.host);
}

}  // namespace

// --- to the server ------------------------------------------------------------------------------------------------

void SockJsSends::add(std::string_view frame) {
    waiting_ += waiting_.empty() ? '[' : ',';
    wire::append_sockjs_string(waiting_, frame);
}

void SockJsSends::append_waiting(std::string& out) {
    if (is_asked() || waiting_.empty()) return;
    fmt::format_to(std::back_inserter(out), "{}{}\r\n\r\n", head_, waiting_.size() + 1);
    out.append(waiting_).append("]");
    waiting_.clear();
    asked();
}

void SockJsSends::on_done(std::string& out, Events& events) {
    if (!std::exchange(live_, true)) events.on_live();
    append_waiting(out);
}

// --- from it ------------------------------------------------------------------------------------------------------

SockJsHttp::SockJsHttp(ParleyStompTools& tools, Seat seat, const Options& options)
    : seat_(std::move(seat)),
      transport_(options.transport),
      request_(request_of(options)),
      stomp_(tools, seat_),
      sends_(stomp_, send_head_of(options)) {}

void SockJsHttp::ask(std::string& out) {
    out += request_;
    asked();
}

void SockJsHttp::on_body(std::string_view piece, std::string&, Events& events) {
    lines_.cut(piece, [&](std::string_view line) {
        if (!is_over()) on_line(line, events);
    });
}

void SockJsHttp::on_line(std::string_view line, Events& events) {
    const Shape shape = shape_of(transport_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(shape.before) || !line.ends_with(shape.after)) return;
    line.remove_prefix(shape.before.size());
    line.remove_suffix(shape.after.size());
    if (!shape.in_string) {
        on_frame(line, events);
        return;
    }
    for (const std::string& frame : wire::parse_json_strings(fmt::format("[{}]", line)).values) {
        on_frame(frame, events);
    }
}

void SockJsHttp::on_frame(std::string_view frame, Events& events) {
    if (frame.starts_with('a')) {
        for (const std::string& answer : stomp_.take_array(frame, events)) sends_.add(answer);
        if (!stomp_.error().empty()) end(events, End::kBroken, stomp_.error());
    } else if (frame == wire::kSockJsOpen) {
        sends_.add(ParleyStomp::connect_frame());
    } else if (frame.starts_with('c')) {
        end(events, End::kBroken, frame);
    }
}

}  // namespace parley::bench
