#include "bare_dialect.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "bench/ws_client.h"
#include "wire/stomp.h"

namespace parley::bench {
namespace {
constexpr std::string_view kJoined = "ok\n";
constexpr std::size_t kNames = 45;  ///< of a typing event: member id, nickname and the key between them
}  // namespace

class BareConversation final : public Conversation {
public:
    BareConversation(BareDialect& dialect, Seat seat) : dialect_(dialect), seat_(std::move(seat)) {}

    void begin(std::string& out) override { out += fmt::format("room {}\n", seat_.room); }

    std::size_t take(std::string_view bytes, std::string&, Events& events) override {
        std::size_t used = 0;
        if (!joined_) {
            if (bytes.size() < kJoined.size()) return 0;
            if (!bytes.starts_with(kJoined)) {
                events.on_end(End::kBroken, "the answer was not ok");
                return 0;
            }
            joined_ = true;
            used = kJoined.size();
            events.on_live();
        }
        while (const auto frame = front_frame(bytes.substr(used))) {
            used += frame->size;
            Stamp stamp;
            if (dialect_.stamps_.find(frame->payload, stamp)) {
                events.on_delivery(0, stamp);
            } else {
                events.on_unreadable(frame->payload);
            }
        }
        return used;
    }

    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        if (dialect_.talk_ == BareDialect::Talk::kTyping) {
            append_typing(out, stamp);
            return;
        }
        std::string& body = dialect_.body_;
        body.clear();
        fmt::format_to(std::back_inserter(body),
                       R"({{"messageId":"01a1fcc2-84df-7b6e-a962-{:012x}","roomId":"{}","seq":{},"senderId":"{}",)"
                       R"("senderNickname":"{}","content":")",
                       stamp.counter, seat_.room_name, stamp.counter, seat_.member, seat_.member);
        append_payload(body, stamp, size);
        body += R"(","type":"TALK","createdAt":"2026-11-21T06:19:28.863Z"})";
        Text destination{};
        Text message_id{};
        Text seq{};
        const std::array<wire::StompHeader, 4> headers{
            {{"destination", text(destination, "/sub/chat/room/{}", seat_.room_name)},
             {"message-id", text(message_id, "{}:{}", seat_.room_name, stamp.counter)},
             {"seq", text(seq, "{}", stamp.counter)},
             {"content-type", "application/json"}}};
        append_frame(out, "r", headers, body);
    }

private:
    using Text = std::array<char, 128>;
    static std::string_view text(Text& array, fmt::string_view format, const auto&... values) {
        const auto end = fmt::format_to_n(array.data(), array.size(), fmt::runtime(format), values...).out;
        return {array.data(), static_cast<std::size_t>(end - array.data())};
    }

    void append_typing(std::string& out, const Stamp& stamp) {
        std::string& body = dialect_.body_;
        body.clear();
        fmt::format_to(std::back_inserter(body), R"({{"event":"typing","roomId":"{}","nickname":")", seat_.room_name);
        append_payload(body, stamp, kNames);
        body += R"("})";
        Text destination{};
        Text message_id{};
        const std::array<wire::StompHeader, 3> headers{
            {{"destination", text(destination, "/sub/chat/room/{}/events", seat_.room_name)},
             {"message-id", text(message_id, "{}:event-{}", seat_.room_name, stamp.counter)},
             {"content-type", "application/json"}}};
        append_frame(out, "e", headers, body);
    }

    void append_frame(std::string& out, std::string_view id, std::span<const wire::StompHeader> headers,
                      std::string_view body) {
        std::string& frame = dialect_.frame_;
        frame.clear();
        wire::append_message_head(frame, id, wire::StompVersion::k12);
        wire::append_message_tail(frame, headers, body, wire::StompVersion::k12);
        wire::append_frame_header(out, wire::Opcode::kText, frame.size());
        out += frame;
    }

    BareDialect& dialect_;
    Seat seat_;
    bool joined_ = false;
};

std::unique_ptr<Conversation> BareDialect::converse(Seat seat) {
    return std::make_unique<BareConversation>(*this, std::move(seat));
}

}  // namespace parley::bench
