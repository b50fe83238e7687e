#include "bare_dialect.h"

#include <fmt/format.h>

#include <array>

#include "bench/ws_client.h"
#include "wire/stomp.h"

namespace parley::bench {
namespace {
constexpr std::string_view kJoined = "ok\n";
}

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
        std::string& frame = dialect_.frame_;
        frame.clear();
        if (dialect_.shape_ == BareDialect::Shape::kTyping) {
            append_event(frame, stamp);
        } else {
            append_message(frame, stamp, size);
        }
        wire::append_frame_header(out, wire::Opcode::kText, frame.size());
        out += frame;
    }

private:
    void append_message(std::string& frame, const Stamp& stamp, std::size_t size) {
        std::string& body = dialect_.body_;
        body.clear();
        fmt::format_to(std::back_inserter(body),
                       R"({{"messageId":"01a1fcc2-84df-7b6e-a962-{:012x}","roomId":"{}","seq":{},"senderId":"{}",)"
                       R"("senderNickname":"{}","content":")",
                       stamp.counter, seat_.room_name, stamp.counter, seat_.member, seat_.member);
        append_payload(body, stamp, size);
        body += R"(","type":"TALK","createdAt":"2026-11-21T06:19:28.863Z"})";
        const std::string destination = fmt::format("/sub/chat/room/{}", seat_.room_name);
        const std::string message_id = fmt::format("{}:{}", seat_.room_name, stamp.counter);
        const std::string seq = std::to_string(stamp.counter);
        const std::array<wire::StompHeader, 4> headers{{{"destination", destination},
                                                        {"message-id", message_id},
                                                        {"seq", seq},
                                                        {"content-type", "application/json"}}};
        wire::append_message_head(frame, "r", wire::StompVersion::k12);
        wire::append_message_tail(frame, headers, body, wire::StompVersion::k12);
    }

    /// The stamp stands where member and nickname would, in as many bytes.
    void append_event(std::string& frame, const Stamp& stamp) {
        constexpr std::string_view kBetween = R"(","nickname":")";
        std::string& body = dialect_.body_;
        body.clear();
        fmt::format_to(std::back_inserter(body), R"({{"event":"typing","roomId":"{}","memberId":")", seat_.room_name);
        append_payload(body, stamp, 2 * seat_.member.size() + kBetween.size());
        body += R"("})";
        const std::string destination = fmt::format("/sub/chat/room/{}/events", seat_.room_name);
        const std::string message_id = fmt::format("{}:event-{}", seat_.room_name, stamp.counter);
        const std::array<wire::StompHeader, 3> headers{
            {{"destination", destination}, {"message-id", message_id}, {"content-type", "application/json"}}};
        wire::append_message_head(frame, "e", wire::StompVersion::k12);
        wire::append_message_tail(frame, headers, body, wire::StompVersion::k12);
    }

    BareDialect& dialect_;
    Seat seat_;
    bool joined_ = false;
};

std::unique_ptr<Conversation> BareDialect::converse(Seat seat) {
    return std::make_unique<BareConversation>(*this, std::move(seat));
}

}  // namespace parley::bench
