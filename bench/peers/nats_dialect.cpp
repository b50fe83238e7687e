#include "nats_dialect.h"

#include <fmt/format.h>

namespace parley::bench {
namespace {
constexpr std::string_view kLineEnd = "\r\n";
}

class NatsConversation final : public Conversation {
public:
    NatsConversation(NatsDialect& dialect, Seat seat) : dialect_(dialect), seat_(std::move(seat)) {}

    void begin(std::string& out) override {
        out += R"(CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1})";
        out += kLineEnd;
        if (seat_.receives) out += fmt::format("SUB {} 1\r\n", seat_.room_name);
        out += "PING\r\n";
    }

    std::size_t take(std::string_view bytes, std::string& out, Events& events) override {
        std::size_t used = 0;
        while (!over_) {
            const std::string_view rest = bytes.substr(used);
            const std::size_t end = rest.find('\n');
            if (end == std::string_view::npos) break;
            const std::string_view line = rest.substr(0, end == 0 ? 0 : end - 1);
            std::size_t size = end + 1;
            if (line.starts_with("MSG ")) {
                std::size_t digits = 0;
                const std::size_t payload = leading_number(line.substr(line.rfind(' ') + 1), digits);
                if (rest.size() < size + payload + kLineEnd.size()) break;
                on_message(rest.substr(size, payload), events);
                size += payload + kLineEnd.size();
            } else {
                on_line(line, out, events);
            }
            used += size;
        }
        return used;
    }

    void append_send(std::string& out, const Stamp& stamp, std::size_t size) override {
        dialect_.payload_.clear();
        append_payload(dialect_.payload_, stamp, size);
        fmt::format_to(std::back_inserter(out), "PUB {} {}\r\n", seat_.room_name, dialect_.payload_.size());
        out += dialect_.payload_;
        out += kLineEnd;
    }

private:
    void on_message(std::string_view payload, Events& events) {
        Stamp stamp;
        if (dialect_.stamps_.find(payload, stamp)) {
            events.on_delivery(0, stamp);
        } else {
            events.on_unreadable(payload);
        }
    }
    void on_line(std::string_view line, std::string& out, Events& events) {
        if (line == "PING") {
            out += "PONG\r\n";
        } else if (line == "PONG") {
            events.on_live();
        } else if (line.starts_with("-ERR")) {
            over_ = true;
            events.on_end(line.find("Slow Consumer") != std::string_view::npos ? End::kTooSlow : End::kBroken, line);
        }
    }

    NatsDialect& dialect_;
    Seat seat_;
    bool over_ = false;
};

std::unique_ptr<Conversation> NatsDialect::converse(Seat seat) {
    return std::make_unique<NatsConversation>(*this, std::move(seat));
}

}  // namespace parley::bench
