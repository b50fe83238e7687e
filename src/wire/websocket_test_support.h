#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/websocket.h"

namespace parley::wire {

/// How a test's client writes a frame; the defaults are those of a well-behaved one.
struct ClientFrame {
    bool fin = true;
    unsigned rsv = 0;  ///< 4: RSV1, 2: RSV2, 1: RSV3
    bool masked = true;
    std::size_t length_bytes = 0;  ///< 2 or 8: that form whether it is the shortest or not
};

inline std::string client_frame(unsigned opcode, std::string_view payload, ClientFrame how = {}) {
    constexpr std::string_view kKey{"\x37\xFA\x21\x3D"};
    std::string out;
    out += static_cast<char>((how.fin ? 0x80U : 0U) | how.rsv << 4 | opcode);
    std::size_t length_bytes = how.length_bytes;
    if (length_bytes == 0 && payload.size() > 125) length_bytes = payload.size() > 0xFFFF ? 8 : 2;
    const std::size_t small = length_bytes == 0 ? payload.size() : length_bytes == 2 ? 126 : 127;
    out += static_cast<char>((how.masked ? 0x80U : 0U) | small);
    for (std::size_t i = length_bytes; i > 0; --i) out += static_cast<char>(payload.size() >> (8 * (i - 1)) & 0xFF);
    if (how.masked) out += kKey;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        out += static_cast<char>(how.masked ? payload[i] ^ kKey[i & 3] : payload[i]);
    }
    return out;
}

inline std::string client_frame(Opcode opcode, std::string_view payload, ClientFrame how = {}) {
    return client_frame(static_cast<unsigned>(opcode), payload, how);
}

/// Writes down each event as a line: `text:hello`, `close:1000:bye`.
class WebSocketRecorder final : public WebSocketDecoder::Handler {
public:
    Flow on_message(Opcode opcode, std::string_view payload) override {
        note(opcode == Opcode::kText ? "text:" : "binary:", payload);
        return pause_after_message ? Flow::kPause : Flow::kContinue;
    }
    void on_ping(std::string_view payload) override { note("ping:", payload); }
    void on_pong(std::string_view payload) override { note("pong:", payload); }
    void on_close(std::uint16_t code, std::string_view reason) override {
        note("close:" + std::to_string(code) + ":", reason);
    }

    std::vector<std::string> events;
    bool pause_after_message = false;

private:
    void note(std::string kind, std::string_view payload) { events.push_back(kind.append(payload)); }
};

/// Feeds `bytes` in pieces of `step` (0: at once), a fault ending the events as `fault:1002`.
inline std::vector<std::string> decode(std::string bytes, std::size_t step = 0, WebSocketLimits limits = {},
                                       Inflater* inflater = nullptr) {
    WebSocketDecoder decoder{limits, inflater};
    WebSocketRecorder recorder;
    if (step == 0) step = bytes.size();
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::size_t size = std::min(step, bytes.size() - at);
        const WebSocketFed fed = decoder.feed({bytes.data() + at, size}, recorder);
        if (fed.fault) {
            recorder.events.push_back("fault:" + std::to_string(fed.fault->close_code));
            break;
        }
    }
    return recorder.events;
}

}  // namespace parley::wire
