#include "bench/plain_dialect.h"

#include <fmt/format.h>

#include "bench/stomp_text.h"
#include "bench/ws_client.h"

namespace parley::bench {

class PlainRoom final : public WsConversation {
public:
    PlainRoom(PlainDialect& dialect, const Seat& seat) : WsConversation(seat.number), dialect_(dialect) {}
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        dialect_.text_.clear();
        append_payload(dialect_.text_, stamp, size);
        append_text(out, dialect_.text_);
    }

private:
    [[nodiscard]] Upgrade upgrade() const override { return {dialect_.options_.host, "/room", {}, false}; }
    void on_open(std::string&, Events& events) override { events.on_live(); }
    void on_payload(std::string_view payload, std::string&, Events& events) override {
        Stamp stamp;
        if (dialect_.stamps_.find(payload, stamp)) {
            events.on_delivery(0, stamp);
        } else if (payload.starts_with('{')) {
            events.on_refusal(0, payload);
        } else {
            events.on_unreadable(payload);
        }
    }

    PlainDialect& dialect_;
};

class PlainDirect final : public WsConversation {
public:
    PlainDirect(PlainDialect& dialect, Seat seat)
        : WsConversation(seat.number), dialect_(dialect), seat_(std::move(seat)) {}
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        std::string& text = dialect_.text_;
        text = R"({"content":")";
        append_payload(text, stamp, size);
        fmt::format_to(std::back_inserter(text), R"(","messageId":"m{}"}})", stamp.counter);
        append_text(out, text);
    }

private:
    [[nodiscard]] static std::string member(const Seat& seat, int number) {
        // Of this run alone: a pair's last messages come first.
        return fmt::format("{}.{:06}", seat.room_name, number);
    }
    [[nodiscard]] Upgrade upgrade() const override {
        const int number = static_cast<int>(seat_.number);
        const int pairs = dialect_.options_.pairs;
        Seat self = seat_;
        self.member = member(seat_, number);
        return {dialect_.options_.host,
                fmt::format("/ws/direct?token={}&receiverId={}", dialect_.options_.token(self),
                            member(seat_, number < pairs ? number + pairs : number - pairs)),
                {},
                false};
    }
    void on_open(std::string&, Events& events) override { events.on_live(); }
    void on_payload(std::string_view payload, std::string&, Events& events) override {
        const std::size_t at = dialect_.seqs_.behind(payload);
        std::size_t digits = 0;
        const std::uint64_t seq = at == std::string_view::npos ? 0 : leading_number(payload.substr(at), digits);
        Stamp stamp;
        if (digits != 0 && dialect_.stamps_.find(payload, stamp)) {
            events.on_delivery(seq, stamp);
        } else if (payload.starts_with(R"({"ack":"m)") && digits != 0) {
            events.on_receipt(static_cast<std::uint32_t>(number(json_field(payload, "ack").substr(1))), seq);
        } else if (payload.starts_with(R"({"code":)")) {
            const std::string_view id = json_field(payload, "messageId");
            events.on_refusal(id.empty() ? 0 : static_cast<std::uint32_t>(number(id.substr(1))), payload);
        } else {
            events.on_unreadable(payload);
        }
    }

    PlainDialect& dialect_;
    const Seat seat_;
};

Dialect::Traits PlainDialect::traits() const noexcept {
    const bool numbered = options_.kind == Kind::kDirect;
    return {.receipts = numbered, .seqs = numbered, .counted = false, .every = {}};
}

std::unique_ptr<Conversation> PlainDialect::converse(Seat seat) {
    if (options_.kind == Kind::kRoom) return std::make_unique<PlainRoom>(*this, seat);
    return std::make_unique<PlainDirect>(*this, std::move(seat));
}

}  // namespace parley::bench
