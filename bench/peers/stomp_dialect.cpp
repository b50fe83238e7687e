#include "stomp_dialect.h"

#include <fmt/format.h>

#include "bench/stomp_text.h"
#include "bench/ws_client.h"

namespace parley::bench {

class StompConversation final : public Conversation {
public:
    StompConversation(StompDialect& dialect, Seat seat)
        : dialect_(dialect), seat_(std::move(seat)), writer_(seat_.number) {}

    void begin(std::string& out) override {
        out += upgrade_request({dialect_.options_.host, dialect_.options_.path, key(), "v12.stomp", false});
    }

    std::size_t take(std::string_view bytes, std::string& out, Events& events) override {
        std::size_t used = 0;
        if (phase_ == Phase::kUpgrading) {
            used = take_upgrade(bytes, out, events);
            if (phase_ == Phase::kUpgrading) return 0;
        }
        while (phase_ == Phase::kTalking) {
            const auto frame = front_frame(bytes.substr(used));
            if (!frame) break;
            used += frame->size;
            switch (frame->opcode) {
                case wire::Opcode::kText:
                case wire::Opcode::kBinary: on_stomp(frame->payload, out, events); break;
                case wire::Opcode::kPing: writer_.append(out, wire::Opcode::kPong, frame->payload); break;
                case wire::Opcode::kClose: end(events, End::kBroken, close_words(frame->payload)); break;
                default: break;
            }
        }
        return used;
    }

    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        dialect_.payload_.clear();
        append_payload(dialect_.payload_, stamp, size);
        send_to(out, seat_.room_name, dialect_.payload_);
    }

private:
    enum class Phase : std::uint8_t { kUpgrading, kTalking, kOver };

    [[nodiscard]] std::string key() const { return fmt::format("{:022d}==", seat_.number); }

    std::size_t take_upgrade(std::string_view bytes, std::string& out, Events& events) {
        const UpgradeAnswer answer = read_upgrade_answer(bytes, key());
        if (answer.kind == UpgradeAnswer::Kind::kIncomplete) return 0;
        if (answer.kind != UpgradeAnswer::Kind::kAgreed) {
            end(events, answer.kind == UpgradeAnswer::Kind::kBusy ? End::kBusy : End::kBroken, answer.why);
            return 0;
        }
        phase_ = Phase::kTalking;
        const auto& options = dialect_.options_;
        std::string frame = "CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n";
        if (!options.login.empty()) frame += fmt::format("login:{}\npasscode:{}\n", options.login, options.passcode);
        write(out, frame + '\n');
        return answer.size;
    }

    void on_stomp(std::string_view frame, std::string& out, Events& events) {
        if (frame.starts_with("MESSAGE\n")) {
            Stamp stamp;
            if (dialect_.stamps_.find(frame, stamp)) {
                events.on_delivery(0, stamp);
            } else if (!live_ && read_server_stomp(frame).subscription == "probe") {
                write(out, "UNSUBSCRIBE\nid:probe\n\n");
                live(events);
            } else {
                events.on_unreadable(frame);
            }
            return;
        }
        const ServerStomp stomp = read_server_stomp(frame);
        if (stomp.command == "CONNECTED") subscribe(out, events);
        if (stomp.command == "RECEIPT") live(events);
        if (stomp.command == "ERROR") end(events, End::kBroken, fmt::format("ERROR: {} {}", stomp.message, stomp.body));
    }

    void subscribe(std::string& out, Events& events) {
        const auto& options = dialect_.options_;
        if (!seat_.receives) {
            live(events);
            return;
        }
        write(out, fmt::format("SUBSCRIBE\nid:r\ndestination:{}{}\n{}\n", options.subscribe_prefix, seat_.room_name,
                               options.receipts ? "receipt:live\n" : ""));
        if (options.receipts) return;
        const std::string probe = fmt::format("probe-{}-{}", seat_.room_name, seat_.number);
        write(out, fmt::format("SUBSCRIBE\nid:probe\ndestination:{}{}\n\n", options.subscribe_prefix, probe));
        send_to(out, probe, "live?");
    }

    void send_to(std::string& out, std::string_view room, std::string_view body) {
        std::string& frame = dialect_.frame_;
        frame.clear();
        fmt::format_to(std::back_inserter(frame),
                       "SEND\ndestination:{}{}\ncontent-type:text/plain\ncontent-length:{}\n\n",
                       dialect_.options_.send_prefix, room, body.size());
        write(out, frame.append(body));
    }

    /// `frame` without its NUL.
    void write(std::string& out, std::string frame) { writer_.append(out, wire::Opcode::kText, frame.append(1, '\0')); }

    void live(Events& events) {
        live_ = true;
        events.on_live();
    }
    void end(Events& events, End how, std::string_view why) {
        phase_ = Phase::kOver;
        events.on_end(how, why);
    }

    StompDialect& dialect_;
    Seat seat_;
    FrameWriter writer_;
    Phase phase_ = Phase::kUpgrading;
    bool live_ = false;
};

std::unique_ptr<Conversation> StompDialect::converse(Seat seat) {
    return std::make_unique<StompConversation>(*this, std::move(seat));
}

}  // namespace parley::bench
