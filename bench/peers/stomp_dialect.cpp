#include "stomp_dialect.h"

#include <fmt/format.h>

#include "bench/stomp_text.h"
#include "bench/ws_client.h"

namespace parley::bench {

class StompConversation final : public WsConversation {
public:
    StompConversation(StompDialect& dialect, Seat seat)
        : WsConversation(seat.number), dialect_(dialect), seat_(std::move(seat)) {}

    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        dialect_.payload_.clear();
        append_payload(dialect_.payload_, stamp, size);
        send_to(out, seat_.room_name, dialect_.payload_);
    }

private:
    [[nodiscard]] Upgrade upgrade() const override {
        return {dialect_.options_.host, dialect_.options_.path, "v12.stomp", false};
    }

    void on_open(std::string& out, Events&) override {
        const auto& options = dialect_.options_;
        std::string frame = "CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n";
        if (!options.login.empty()) frame += fmt::format("login:{}\npasscode:{}\n", options.login, options.passcode);
        write(out, frame + '\n');
    }

    void on_payload(std::string_view frame, std::string& out, Events& events) override {
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
    void write(std::string& out, std::string frame) { append_text(out, frame.append(1, '\0')); }

    void live(Events& events) {
        live_ = true;
        events.on_live();
    }

    StompDialect& dialect_;
    Seat seat_;
    bool live_ = false;
};

std::unique_ptr<Conversation> StompDialect::converse(Seat seat) {
    return std::make_unique<StompConversation>(*this, std::move(seat));
}

}  // namespace parley::bench
