#include "bench/rest_dialect.h"

#include <fmt/format.h>

#include <deque>

#include "bench/http_client.h"
#include "bench/stomp_text.h"
#include "wire/http_request.h"

namespace parley::bench {
namespace {

constexpr std::string_view kCursor = "x-parley-cursor";
constexpr std::size_t kFullAnswer = 500;  ///< messages of a poll: there may be more

ParleyDialect::Options stomp_options(const RestDialect::Options& options) {
    ParleyDialect::Options stomp;
    stomp.host = options.host;
    stomp.message_ids = options.message_ids;
    stomp.token = options.token;
    return stomp;
}

}  // namespace

/// What all requests of a member have in common.
class RestConversation : public HttpConversation {
public:
    RestConversation(RestDialect& dialect, Seat seat, std::unique_ptr<Conversation> back)
        : dialect_(dialect),
          seat_(std::move(seat)),
          fields_(fmt::format(" HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n", dialect.options_.host,
                              dialect.options_.token(seat_))),
          back_(std::move(back)) {}
    /// Its SENDs have a connection of their own.
    void append_send(std::string&, const Stamp&, std::size_t) override {}
    [[nodiscard]] Conversation* way_back() final { return back_.get(); }

protected:
    void get(std::string& out, std::string_view path, std::string_view query) {
        out.append("GET ").append(path).append(query).append(fields_).append("\r\n");
        asked();
    }
    /// A message as the REST side writes it; views into it.
    void on_message_json(std::string_view json, Events& events) {
        const std::size_t at = dialect_.seqs_.behind(json);
        std::size_t digits = 0;
        const std::uint64_t seq = at == std::string_view::npos ? 0 : leading_number(json.substr(at), digits);
        Stamp stamp;
        if (digits == 0) {
            events.on_unreadable(json);
        } else if (dialect_.stamps_.find(json, stamp)) {
            events.on_delivery(seq, stamp);
        } else if (json_field(json, "type") == "SYSTEM") {
            on_record(seq, json, events);
        } else {
            events.on_unreadable(json);
        }
    }
    virtual void on_record(std::uint64_t seq, std::string_view, Events& events) { events.on_other(seq); }

    RestDialect& dialect_;
    const Seat seat_;
    const std::string fields_;

private:
    const std::unique_ptr<Conversation> back_;
};

// --- sending ------------------------------------------------------------------------------------------------------

/// Each message a request of its own, one after the other, as a page's fetch() does it.
class RestSends final : public RestConversation {
public:
    RestSends(RestDialect& dialect, Seat seat)
        : RestConversation(dialect, std::move(seat), nullptr),
          head_(fmt::format("POST /api/rooms/{}/messages{}Content-Type: application/json\r\nContent-Length: ",
                            seat_.room_name, fields_)) {}
    void begin(std::string& out) override { get(out, "/health", {}); }
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        std::string& body = dialect_.body_;
        body = R"({"content":")";
        append_payload(body, stamp, size);
        if (dialect_.options_.message_ids) append_message_id(body.append(R"(","messageId":")"), stamp);
        body += R"("})";
        if (is_asked()) {
            waiting_.push_back({stamp.counter, body});
        } else {
            post(out, stamp.counter, body);
        }
    }

private:
    struct Waiting {
        std::uint32_t counter;
        std::string body;
    };
    [[nodiscard]] bool is_good(int status) const override { return status == 200 || status == 201; }
    void on_body(std::string_view piece, std::string&, Events& events) override {
        if (counter_ == 0) return;
        const std::size_t at = dialect_.answered_seqs_.behind(piece);
        std::size_t digits = 0;
        const std::uint64_t seq = at == std::string_view::npos ? 0 : leading_number(piece.substr(at), digits);
        events.on_receipt(counter_, seq);
    }
    void on_done(std::string& out, Events& events) override {
        if (counter_ == 0) events.on_live();
        next(out);
    }
    void on_refused(int status, std::string_view body, std::string& out, Events& events) override {
        if (counter_ == 0) {
            RestConversation::on_refused(status, body, out, events);
            return;
        }
        events.on_refusal(counter_, body);
        next(out);
    }
    void next(std::string& out) {
        if (waiting_.empty()) return;
        post(out, waiting_.front().counter, waiting_.front().body);
        waiting_.pop_front();
    }
    void post(std::string& out, std::uint32_t counter, std::string_view body) {
        counter_ = counter;
        fmt::format_to(std::back_inserter(out), "{}{}\r\n\r\n", head_, body.size());
        out += body;
        asked();
    }

    const std::string head_;
    std::uint32_t counter_ = 0;  ///< of the SEND that is under way; 0: none was
    std::deque<Waiting> waiting_;
};

// --- receiving ----------------------------------------------------------------------------------------------------

class RestStream final : public RestConversation {
public:
    using RestConversation::RestConversation;
    void begin(std::string& out) override {
        get(out, fmt::format("/api/rooms/{}/stream", seat_.room_name),
            seat_.after_seq == 0 ? std::string{} : fmt::format("?after={}", seat_.after_seq));
    }

private:
    void on_body(std::string_view piece, std::string&, Events& events) override {
        parts_.cut(piece, [&](std::string_view event) {
            if (!is_over()) on_event(event, events);
        });
    }
    void on_event(std::string_view event, Events& events) {
        if (event.starts_with("id: ")) {
            on_message_json(event, events);
        } else if (event.find("event: connected\n") != std::string_view::npos) {
            events.on_live();
        } else if (!event.starts_with(':')) {
            end(events, End::kBroken, event);
        }
    }
    void on_done(std::string&, Events& events) override { end(events, End::kBroken, "the stream has ended"); }

    PartCutter parts_{"\n\n"};
};

/// The next poll goes out when the one before is answered, or at its time. The first one finds out where the room
/// stands.
class RestPolls final : public RestConversation {
public:
    RestPolls(RestDialect& dialect, Seat seat, std::unique_ptr<Conversation> back)
        : RestConversation(dialect, std::move(seat), std::move(back)),
          waits_(dialect.options_.receive != RestDialect::Receive::kPoll),
          all_(dialect.options_.receive == RestDialect::Receive::kLongPollAll),
          path_(waits_ ? "/api/messages/longpoll?timeout=" : "/api/messages?") {
        if (seat_.after_seq != 0) cursor_ = std::to_string(seat_.after_seq);
    }
    void begin(std::string& out) override { ask(out); }
    void on_tick(std::string& out) override {
        if (!waits_ && !is_asked()) ask(out);
    }

private:
    enum class Phase : std::uint8_t { kFirst, kJoining, kLive };

    void ask(std::string& out) {
        count_ = 0;
        query_.clear();
        if (waits_) query_ += phase_ == Phase::kFirst ? "0&" : "30000&";
        if (!all_) query_.append("roomId=").append(seat_.room_name).append("&");
        if (!cursor_.empty()) query_.append("after=").append(cursor_);
        get(out, path_, query_);
    }
    void on_field(std::string_view name, std::string_view value) override {
        if (wire::iequals(name, kCursor)) cursor_ = value;
    }
    void on_body(std::string_view piece, std::string&, Events& events) override {
        if (phase_ == Phase::kJoining) return;
        constexpr std::string_view kBetween = "},{";
        for (std::size_t at = 1; at + 1 < piece.size() && !is_over();) {
            const std::size_t next = piece.find(kBetween, at);
            const std::size_t end = next == std::string_view::npos ? piece.size() - 1 : next + 1;
            on_message_json(piece.substr(at, end - at), events);
            ++count_;
            at = end + 1;
        }
    }
    /// The cursor begins a room that was joined since at the record of joining.
    void on_record(std::uint64_t seq, std::string_view json, Events& events) override {
        if (joined_ || json_field(json, "senderId") != seat_.member) {
            events.on_other(seq);
            return;
        }
        joined_ = true;
        events.on_start(seq);
        events.on_live();
    }
    void on_done(std::string& out, Events& events) override {
        if (phase_ == Phase::kFirst && all_) {
            phase_ = Phase::kJoining;
            out.append("POST /api/rooms/").append(seat_.room_name).append("/join").append(fields_);
            out += "Content-Length: 0\r\n\r\n";
            asked();
            return;
        }
        if (phase_ == Phase::kFirst) events.on_live();
        phase_ = Phase::kLive;
        if (waits_ || count_ >= kFullAnswer) ask(out);
    }

    const bool waits_;
    const bool all_;
    const std::string_view path_;
    Phase phase_ = Phase::kFirst;
    bool joined_ = false;
    std::size_t count_ = 0;  ///< messages of the answer
    std::string cursor_;
    std::string query_;
};

// --- the dialect --------------------------------------------------------------------------------------------------

RestDialect::RestDialect(Options options) : options_(std::move(options)), stomp_(stomp_options(options_)) {}

Dialect::Traits RestDialect::traits() const noexcept {
    const bool ticks = options_.receive == Receive::kPoll;
    return {.receipts = true, .seqs = true, .counted = false, .every = ticks ? options_.every : options_.every.zero()};
}

std::unique_ptr<Conversation> RestDialect::sends(Seat seat) {
    if (options_.send_by == SendBy::kPost) return std::make_unique<RestSends>(*this, std::move(seat));
    seat.receives = false;
    return stomp_.converse(std::move(seat));
}

std::unique_ptr<Conversation> RestDialect::converse(Seat seat) {
    // Nobody else's rooms are a member's of this run.
    if (options_.receive == Receive::kLongPollAll) seat.member = fmt::format("{}.{:06}", seat.room_name, seat.number);
    if (!seat.receives) return sends(std::move(seat));
    auto back = seat.sends ? sends(seat) : nullptr;
    if (options_.receive == Receive::kStream) {
        return std::make_unique<RestStream>(*this, std::move(seat), std::move(back));
    }
    return std::make_unique<RestPolls>(*this, std::move(seat), std::move(back));
}

}  // namespace parley::bench
