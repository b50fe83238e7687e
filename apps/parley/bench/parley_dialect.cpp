#include "bench/parley_dialect.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "bench/stomp_text.h"
#include "bench/ws_client.h"
#include "wire/json.h"
#include "wire/sockjs.h"
#include "wire/stomp.h"

namespace parley::bench {
namespace {

constexpr std::string_view kLive = "live";  ///< receipt of the SUBSCRIBE that is waited for
/// How deliveries begin; the subscription's id is the shortest one that says which it is.
constexpr std::string_view kRoomMessage = "MESSAGE\nsubscription:r\n";
constexpr std::string_view kRoomMessageInJson = R"(a["MESSAGE\nsubscription:r\n)";
constexpr std::size_t kMaxMessage = 1024 * 1024;

std::uint32_t sender_of(std::string_view member) noexcept {
    const std::size_t digits = member.find_last_not_of("0123456789") + 1;
    return static_cast<std::uint32_t>(number(member.substr(digits)));
}

}  // namespace

class ParleyConversation final : public WsConversation {
public:
    ParleyConversation(ParleyDialect& dialect, Seat seat)
        : WsConversation(seat.number), dialect_(dialect), seat_(std::move(seat)) {}
    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override;

private:
    [[nodiscard]] bool over_sockjs() const noexcept {
        return dialect_.options_.carrier == ParleyDialect::Carrier::kSockJs;
    }
    [[nodiscard]] Upgrade upgrade() const override;
    void on_open(std::string& out, Events&) override {
        if (!over_sockjs()) connect(out);
    }
    void on_payload(std::string_view payload, std::string& out, Events& events) override;
    [[nodiscard]] std::string_view inflate(std::string_view packed) override { return dialect_.inflate(packed); }
    bool on_quick_delivery(std::string_view payload, Events& events);
    void on_sockjs(std::string_view payload, std::string& out, Events& events);
    void on_stomp(std::string_view frame, std::string& out, Events& events);
    void on_message(const ServerStomp& stomp, Events& events);
    void on_error_message(std::string_view body, Events& events);
    void connect(std::string& out);
    void subscribe(std::string& out);
    void append_frame(std::string& out, std::string_view frame);

    ParleyDialect& dialect_;
    const Seat seat_;
};

// --- input --------------------------------------------------------------------------------------------------------

void ParleyConversation::on_payload(std::string_view payload, std::string& out, Events& events) {
    if (on_quick_delivery(payload, events)) return;
    if (over_sockjs()) {
        on_sockjs(payload, out, events);
    } else {
        on_stomp(payload, out, events);
    }
}

bool ParleyConversation::on_quick_delivery(std::string_view payload, Events& events) {
    const bool json = over_sockjs();
    if (!payload.starts_with(json ? kRoomMessageInJson : kRoomMessage)) return false;
    const std::size_t at = (json ? dialect_.seq_in_json_ : dialect_.seq_in_text_).behind(payload);
    Stamp stamp;
    if (at == std::string_view::npos || !dialect_.stamps_.find(payload, stamp)) return false;
    std::size_t digits = 0;
    const std::uint64_t seq = leading_number(payload.substr(at), digits);
    if (digits == 0) return false;
    events.on_delivery(seq, stamp);
    return true;
}

void ParleyConversation::on_sockjs(std::string_view payload, std::string& out, Events& events) {
    if (payload == wire::kSockJsOpen) {
        connect(out);
    } else if (payload.starts_with('a')) {
        for (const std::string& frame : wire::parse_json_strings(payload.substr(1)).values) {
            if (!is_over()) on_stomp(frame, out, events);
        }
    } else if (payload.starts_with('c')) {
        end(events, End::kBroken, payload);
    }
}

void ParleyConversation::on_stomp(std::string_view frame, std::string& out, Events& events) {
    const ServerStomp stomp = read_server_stomp(frame);
    if (stomp.command == "MESSAGE") {
        on_message(stomp, events);
    } else if (stomp.command == "RECEIPT") {
        if (stomp.receipt_id == kLive) {
            events.on_live();
        } else {
            events.on_receipt(static_cast<std::uint32_t>(number(stomp.receipt_id)), number(stomp.seq));
        }
    } else if (stomp.command == "CONNECTED") {
        subscribe(out);
    } else if (stomp.command == "ERROR") {
        end(events, End::kBroken, fmt::format("ERROR: {}", stomp.message));
    }
}

void ParleyConversation::on_message(const ServerStomp& stomp, Events& events) {
    if (stomp.subscription == "x") {
        on_error_message(stomp.body, events);
    } else if (stomp.subscription == "r") {
        Stamp stamp;
        if (dialect_.stamps_.find(stomp.body, stamp) && !stomp.seq.empty()) {
            events.on_delivery(number(stomp.seq), stamp);
        } else {
            events.on_unreadable(stomp.body);
        }
    } else if (stomp.subscription == "e" && json_field(stomp.body, "event") == "typing") {
        events.on_event(sender_of(json_field(stomp.body, "memberId")));
    }
}

void ParleyConversation::on_error_message(std::string_view body, Events& events) {
    if (json_field(body, "code") == "RESYNC") {
        events.on_resync();
        return;
    }
    events.on_refusal(static_cast<std::uint32_t>(number(json_field(body, "receiptId"))), body);
}

// --- output -------------------------------------------------------------------------------------------------------

Upgrade ParleyConversation::upgrade() const {
    const auto& options = dialect_.options_;
    std::string path = options.path;
    if (over_sockjs()) path += fmt::format("/{:03}/b{:08}/websocket", seat_.number % 1000, seat_.number);
    path += fmt::format("?token={}&roomId={}", options.token(seat_), seat_.room_name);
    return {options.host, path, over_sockjs() ? "" : "v12.stomp", options.deflate};
}

void ParleyConversation::connect(std::string& out) {
    const std::array<wire::StompHeader, 3> headers{
        {{"accept-version", "1.2"}, {"host", "parley"}, {"heart-beat", "0,0"}}};
    std::string frame;
    wire::append_stomp_frame(frame, "CONNECT", headers, {}, wire::StompVersion::k12);
    append_frame(out, frame);
}

void ParleyConversation::subscribe(std::string& out) {
    const auto add = [&](std::span<const wire::StompHeader> headers) {
        std::string frame;
        wire::append_stomp_frame(frame, "SUBSCRIBE", headers, {}, wire::StompVersion::k12);
        append_frame(out, frame);
    };
    const std::array<wire::StompHeader, 3> errors{
        {{"id", "x"}, {"destination", "/user/queue/errors"}, {"receipt", kLive}}};
    add(std::span{errors}.first(seat_.receives ? 2 : 3));
    if (!seat_.receives) return;
    // Only the room's own receipt says that its messages arrive from now on.
    const bool typing = dialect_.options_.talk == ParleyDialect::Talk::kTyping;
    const std::string destination = fmt::format("/sub/chat/room/{}{}", seat_.room_name, typing ? "/events" : "");
    const std::string after = std::to_string(seat_.after_seq);
    const std::array<wire::StompHeader, 4> room{
        {{"id", typing ? "e" : "r"}, {"destination", destination}, {"receipt", kLive}, {"after-seq", after}}};
    add(std::span{room}.first(seat_.after_seq == 0 ? 3 : 4));
}

void ParleyConversation::append_send(std::string& out, const Stamp& stamp, std::size_t size) {
    const auto& options = dialect_.options_;
    const bool typing = options.talk == ParleyDialect::Talk::kTyping;
    std::string& body = dialect_.packing_;
    body.assign(typing ? R"({"roomId":")" : R"({"type":"TALK","roomId":")").append(seat_.room_name);
    if (!typing) {
        body += R"(","content":")";
        append_payload(body, stamp, size);
        if (options.message_ids) {
            fmt::format_to(std::back_inserter(body), R"(","messageId":"{:08x}-{:08x}-{:016x})", stamp.sender,
                           stamp.counter, stamp.sent_ns);
        }
    }
    body += R"("})";
    std::string& frame = dialect_.scratch_;
    frame.assign("SEND\ndestination:")
        .append(typing ? "/pub/chat/typing" : "/pub/chat/send")
        .append("\ncontent-type:application/json\nreceipt:");
    std::array<char, 20> digits{};
    const auto decimal = [&digits](std::size_t value) {
        char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
    };
    frame.append(decimal(stamp.counter)).append("\ncontent-length:").append(decimal(body.size())).append("\n\n");
    frame.append(body).append(1, '\0');
    append_frame(out, frame);
}

void ParleyConversation::append_frame(std::string& out, std::string_view frame) {
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

Dialect::Traits ParleyDialect::traits() const noexcept {
    const bool typing = options_.talk == Talk::kTyping;
    return {.receipts = true, .seqs = !typing, .counted = typing};
}

std::unique_ptr<Conversation> ParleyDialect::converse(Seat seat) {
    return std::make_unique<ParleyConversation>(*this, std::move(seat));
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
