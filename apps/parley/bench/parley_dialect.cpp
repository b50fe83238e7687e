#include "bench/parley_dialect.h"

#include <fmt/format.h>

#include "bench/sockjs_http.h"
#include "bench/ws_client.h"
#include "wire/sockjs.h"

namespace parley::bench {
namespace {
constexpr std::size_t kMaxMessage = 1024 * 1024;
}

class ParleyConversation final : public WsConversation {
public:
    ParleyConversation(ParleyDialect& dialect, Seat seat)
        : WsConversation(seat.number), dialect_(dialect), seat_(std::move(seat)), stomp_(dialect.tools_, seat_) {}
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        write(out, stomp_.send_frame(stamp, size));
    }

private:
    [[nodiscard]] bool over_sockjs() const noexcept {
        return dialect_.options_.carrier == ParleyDialect::Carrier::kSockJs;
    }
    [[nodiscard]] Upgrade upgrade() const override;
    void on_open(std::string& out, Events&) override {
        if (!over_sockjs()) write(out, ParleyStomp::connect_frame());
    }
    void on_payload(std::string_view payload, std::string& out, Events& events) override;
    [[nodiscard]] std::string_view inflate(std::string_view packed) override { return dialect_.inflate(packed); }
    void write(std::string& out, std::string_view frame);

    ParleyDialect& dialect_;
    const Seat seat_;
    ParleyStomp stomp_;
};

Upgrade ParleyConversation::upgrade() const {
    const auto& options = dialect_.options_;
    std::string path = options.path;
    if (over_sockjs()) path += fmt::format("/{:03}/b{:08}/websocket", seat_.number % 1000, seat_.number);
    path += fmt::format("?token={}&roomId={}", options.token(seat_), seat_.room_name);
    return {options.host, path, over_sockjs() ? "" : "v12.stomp", options.deflate};
}

void ParleyConversation::on_payload(std::string_view payload, std::string& out, Events& events) {
    std::vector<std::string> answers;
    if (!over_sockjs()) {
        answers = stomp_.take(payload, events);
    } else if (payload.starts_with('a')) {
        answers = stomp_.take_array(payload, events);
    } else if (payload == wire::kSockJsOpen) {
        answers.push_back(ParleyStomp::connect_frame());
    } else if (payload.starts_with('c')) {
        end(events, End::kBroken, payload);
    }
    for (const std::string& answer : answers) write(out, answer);
    if (!stomp_.error().empty()) end(events, End::kBroken, stomp_.error());
}

void ParleyConversation::write(std::string& out, std::string_view frame) {
    if (over_sockjs()) {
        std::string& array = dialect_.packing_;
        array = "[";
        wire::append_sockjs_string(array, frame);
        array += ']';
        frame = array;
    }
    append_text(out, frame);
}

// --- the dialect --------------------------------------------------------------------------------------------------

ParleyDialect::ParleyDialect(Options options) : options_(std::move(options)) {
    tools_.typing = options_.talk == Talk::kTyping;
    tools_.message_ids = options_.message_ids;
}

Dialect::Traits ParleyDialect::traits() const noexcept {
    return {.receipts = true, .seqs = !tools_.typing, .counted = tools_.typing, .every = {}};
}

std::unique_ptr<Conversation> ParleyDialect::converse(Seat seat) {
    if (options_.carrier == Carrier::kWebSocket || options_.carrier == Carrier::kSockJs) {
        return std::make_unique<ParleyConversation>(*this, std::move(seat));
    }
    SockJsHttp::Options how;
    switch (options_.carrier) {
        case Carrier::kXhrStreaming: how.transport = wire::SockJsTransport::kXhrStreaming; break;
        case Carrier::kEventSource: how.transport = wire::SockJsTransport::kEventSource; break;
        case Carrier::kHtmlFile: how.transport = wire::SockJsTransport::kHtmlFile; break;
        case Carrier::kJsonp: how.transport = wire::SockJsTransport::kJsonp; break;
        default: how.transport = wire::SockJsTransport::kXhr;
    }
    how.host = options_.host;
    // No two sessions of a run, and of runs after each other, have one name.
    how.path =
        fmt::format("{}/{:03}/{}-{}-{}", options_.path, seat.number % 1000, seat.room_name, seat.number, sessions_++);
    how.query = fmt::format("token={}&roomId={}", options_.token(seat), seat.room_name);
    return std::make_unique<SockJsHttp>(tools_, std::move(seat), how);
}

std::string_view ParleyDialect::inflate(std::string_view packed) {
    Inflated& known = inflated_[std::hash<std::string_view>{}(packed) % inflated_.size()];
    if (known.packed == packed) return known.text;
    const auto outcome = inflater_.inflate(packed, kMaxMessage);
    known.packed = packed;
    known.text = outcome.status == wire::InflateStatus::kOk ? outcome.message : std::string_view{};
    return known.text;
}

}  // namespace parley::bench
