#include "bench/ws_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wire/websocket_handshake.h"

namespace parley::bench {
namespace {

/// Whether a line of the head begins with `name`, whatever its case.
bool has_header(std::string_view head, std::string_view name) {
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        const std::string_view line = head.substr(at + 2, name.size());
        if (std::equal(line.begin(), line.end(), name.begin(), name.end(), same)) return true;
    }
    return false;
}

}  // namespace

void FrameWriter::append(std::string& out, wire::Opcode opcode, std::string_view payload) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    const std::size_t start = out.size();
    wire::append_frame_header(out, opcode, payload.size());
    out[start + 1] = static_cast<char>(static_cast<unsigned char>(out[start + 1]) | 0x80U);
    std::array<unsigned char, 4> mask{};
    for (unsigned i = 0; i < 4; ++i) mask[i] = static_cast<unsigned char>(random_ >> (8 * i));
    out.append(reinterpret_cast<const char*>(mask.data()), mask.size());
    const std::size_t body = out.size();
    out += payload;
    wire::unmask(out.data() + body, payload.size(), mask);
}

std::string upgrade_request(const Upgrade& upgrade, std::string_view key) {
    std::string text = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: {}\r\n",
        upgrade.path, upgrade.host, key);
    if (!upgrade.subprotocols.empty()) text += fmt::format("Sec-WebSocket-Protocol: {}\r\n", upgrade.subprotocols);
    if (upgrade.deflate) {
        text +=
            "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n";
    }
    return text + "\r\n";
}

UpgradeAnswer read_upgrade_answer(std::string_view bytes, const std::string& key) {
    UpgradeAnswer answer;
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return answer;
    const std::string_view head = bytes.substr(0, end);
    const std::string_view status = head.substr(0, head.find("\r\n"));
    answer.size = end + 4;
    if (!status.starts_with("HTTP/1.1 101")) {
        const bool busy = status.starts_with("HTTP/1.1 503") && has_header(head, "retry-after:");
        answer.kind = busy ? UpgradeAnswer::Kind::kBusy : UpgradeAnswer::Kind::kRefused;
        answer.why = fmt::format("handshake refused: {} {}", status, bytes.substr(answer.size));
        return answer;
    }
    answer.kind = UpgradeAnswer::Kind::kAgreed;
    answer.deflate = has_header(head, "sec-websocket-extensions: permessage-deflate");
    if (head.find(wire::accept_key(key)) == std::string_view::npos) {
        answer.kind = UpgradeAnswer::Kind::kRefused;
        answer.why = "handshake answered with another Sec-WebSocket-Accept";
    }
    return answer;
}

unsigned close_code(std::string_view payload) noexcept {
    if (payload.size() < 2) return 0;
    return static_cast<unsigned>(static_cast<unsigned char>(payload[0])) << 8 | static_cast<unsigned char>(payload[1]);
}

std::string close_words(std::string_view payload) {
    if (payload.size() < 2) return "closed without a code";
    return fmt::format("closed with {} {}", close_code(payload), payload.substr(2));
}

// --- the conversation ---------------------------------------------------------------------------------------------

std::string WsConversation::key() const { return fmt::format("{:022d}==", number_); }

void WsConversation::begin(std::string& out) {
    const Upgrade wanted = upgrade();
    deflate_ = wanted.deflate;
    out += upgrade_request(wanted, key());
}

void WsConversation::append_close(std::string& out) {
    writer_.append(out, wire::Opcode::kClose, wire::encode_close(wire::kCloseNormal).substr(2));
}

void WsConversation::end(Events& events, End end, std::string_view why) {
    phase_ = Phase::kOver;
    events.on_end(end, why);
}

std::size_t WsConversation::take(std::string_view bytes, std::string& out, Events& events) {
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
            case wire::Opcode::kBinary:
                on_payload(frame->compressed ? inflate(frame->payload) : frame->payload, out, events);
                break;
            case wire::Opcode::kPing: writer_.append(out, wire::Opcode::kPong, frame->payload); break;
            case wire::Opcode::kClose:
                end(events, close_code(frame->payload) == wire::kCloseTooSlow ? End::kTooSlow : End::kBroken,
                    close_words(frame->payload));
                break;
            default: break;
        }
    }
    return used;
}

std::size_t WsConversation::take_upgrade(std::string_view bytes, std::string& out, Events& events) {
    const UpgradeAnswer answer = read_upgrade_answer(bytes, key());
    switch (answer.kind) {
        case UpgradeAnswer::Kind::kIncomplete: return 0;
        case UpgradeAnswer::Kind::kBusy: end(events, End::kBusy, answer.why); return 0;
        case UpgradeAnswer::Kind::kRefused: end(events, End::kBroken, answer.why); return 0;
        case UpgradeAnswer::Kind::kAgreed: break;
    }
    if (deflate_ && !answer.deflate) {
        end(events, End::kBroken, "the server did not agree to permessage-deflate");
        return 0;
    }
    phase_ = Phase::kTalking;
    on_open(out, events);
    return answer.size;
}

}  // namespace parley::bench
