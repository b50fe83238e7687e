#include "wire/websocket.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/memory_account.h"
#include "wire/deflate.h"
#include "wire/utf8.h"

namespace parley::wire {
namespace {

WebSocketFault protocol(std::string_view text) noexcept { return {kCloseProtocolError, text}; }
constexpr WebSocketFault kTooBig{kCloseTooBig, "message too big"};
constexpr WebSocketFault kBadUtf8{kCloseInvalidData, "text is not UTF-8"};

std::size_t header_length(unsigned char second) noexcept {
    const unsigned length = second & 0x7FU;
    return 2 + (length == 127 ? 8U : length == 126 ? 2U : 0U) + 4;
}

bool is_known(unsigned opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

/// A message or frame that has not ended: on the stack while its bytes are at hand, kept from one feed() to the next.
struct WebSocketDecoder::Begun {
    std::uint32_t fragments = 0;
    std::uint32_t remaining = 0;  ///< payload bytes of this frame still to come
    std::uint32_t frame_size = 0;
    std::array<unsigned char, 4> key{};
    std::array<unsigned char, 14> header{};
    std::uint8_t header_size = 0;   ///< bytes of the header that have arrived
    Opcode opcode = Opcode::kText;  ///< of this frame
    Opcode message_opcode = Opcode::kText;
    Utf8Validator utf8;
    bool fin = false;
    bool in_payload = false;
    bool in_message = false;  ///< a data frame began a message that has not ended
    bool compressed = false;  ///< the message
    std::string message;      ///< what has arrived of it
    std::string control;      ///< what has arrived of a control frame
    memory::Charge held{memory::Use::kInput, 0};

    [[nodiscard]] bool at_rest() const noexcept { return !in_message && header_size == 0 && !in_payload; }
    [[nodiscard]] bool is_control() const noexcept { return (static_cast<unsigned>(opcode) & 8U) != 0; }
};

WebSocketDecoder::WebSocketDecoder(WebSocketLimits limits, Inflater* inflater) noexcept
    : inflater_(inflater),
      max_message_(static_cast<std::uint32_t>(limits.max_message.count)),
      max_fragments_(limits.max_fragments) {}

WebSocketDecoder::~WebSocketDecoder() = default;

WebSocketFed WebSocketDecoder::feed(std::span<char> bytes, Handler& handler) {
    std::size_t at = 0;
    Fault fault;
    if (begun_ != nullptr) {
        fault = decode(*begun_, bytes, at, handler);
        if (begun_->at_rest()) begun_.reset();
    } else {
        Begun now;
        fault = decode(now, bytes, at, handler);
        if (!now.at_rest()) begun_ = std::make_unique<Begun>(std::move(now));
    }
    if (fault) closed_ = true;
    if (closed_) begun_.reset();
    return {closed_ ? bytes.size() : at, fault};
}

WebSocketDecoder::Fault WebSocketDecoder::decode(Begun& now, std::span<char> bytes, std::size_t& at, Handler& handler) {
    Fault fault;
    Flow flow = Flow::kContinue;
    while (!closed_ && !fault && flow == Flow::kContinue) {
        if (!now.in_payload) {
            if (at == bytes.size()) break;
            fault = read_header(now, bytes, at);
            if (fault || !now.in_payload) continue;
        }
        if (at == bytes.size() && now.remaining > 0) break;
        fault = take_payload(now, bytes, at, handler, flow);
    }
    return fault;
}

WebSocketDecoder::Fault WebSocketDecoder::read_header(Begun& now, std::span<char> bytes, std::size_t& at) const {
    std::size_t wanted = now.header_size < 2 ? 2 : header_length(now.header[1]);
    while (true) {
        const std::size_t take = std::min(wanted - now.header_size, bytes.size() - at);
        std::memcpy(now.header.data() + now.header_size, bytes.data() + at, take);
        now.header_size = static_cast<std::uint8_t>(now.header_size + take);
        at += take;
        if (now.header_size < wanted) return std::nullopt;
        if (wanted != 2) break;
        if (Fault fault = check_first_bytes(now)) return fault;
        wanted = header_length(now.header[1]);
    }
    now.header_size = 0;
    return open_frame(now);
}

WebSocketDecoder::Fault WebSocketDecoder::check_first_bytes(const Begun& now) const noexcept {
    const unsigned first = now.header[0];
    const unsigned opcode = first & 0x0FU;
    const unsigned length = now.header[1] & 0x7FU;
    if ((first & 0x30U) != 0) return protocol("reserved bit set");
    if (!is_known(opcode)) return protocol("unknown opcode");
    if ((first & 0x40U) != 0) {
        if (inflater_ == nullptr) return protocol("compressed frame without permessage-deflate");
        if (opcode != 1 && opcode != 2) return protocol("RSV1 set beyond the first frame of a message");
    }
    if ((now.header[1] & 0x80U) == 0) return protocol("frame is not masked");
    if (opcode >= 8) {
        if ((first & 0x80U) == 0) return protocol("fragmented control frame");
        if (length > 125) return protocol("control frame too long");
    } else if (opcode == 0) {
        if (!now.in_message) return protocol("continuation of nothing");
    } else if (now.in_message) {
        return protocol("new message inside a fragmented one");
    }
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::open_frame(Begun& now) const {
    const std::size_t length_bytes = header_length(now.header[1]) - 6;
    std::uint64_t length = now.header[1] & 0x7FU;
    if (length_bytes > 0) {
        length = 0;
        for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | now.header[2 + i];
        if (length >> 63 != 0) return protocol("frame length with its highest bit set");
        if (length <= (length_bytes == 2 ? 125U : 0xFFFFU)) return protocol("frame length not in its shortest form");
    }
    std::memcpy(now.key.data(), now.header.data() + 2 + length_bytes, now.key.size());
    now.opcode = static_cast<Opcode>(now.header[0] & 0x0FU);
    now.fin = (now.header[0] & 0x80U) != 0;
    if (!now.is_control()) {
        if (now.opcode != Opcode::kContinuation) {
            now.in_message = true;
            now.message_opcode = now.opcode;
            now.compressed = (now.header[0] & 0x40U) != 0;
            now.fragments = 0;
            now.utf8.reset();
        }
        // The one that ends the message is not counted: some clients end with an empty one.
        if (!now.fin && ++now.fragments > max_fragments_) return WebSocketFault{kCloseTooBig, "too many fragments"};
        // DEFLATE expands what it cannot compress by less than this.
        const std::size_t most = now.compressed ? std::size_t{max_message_} + max_message_ / 8 + 64 : max_message_;
        if (length > most - now.message.size()) return kTooBig;
    }
    now.frame_size = now.remaining = static_cast<std::uint32_t>(length);
    now.in_payload = true;
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::take_payload(Begun& now, std::span<char> bytes, std::size_t& at,
                                                       Handler& handler, Flow& flow) {
    const std::size_t take = std::min<std::size_t>(now.remaining, bytes.size() - at);
    const std::string_view piece{bytes.data() + at, take};
    unmask(bytes.data() + at, take, now.key, now.frame_size - now.remaining);
    at += take;
    now.remaining -= static_cast<std::uint32_t>(take);
    const bool frame_ends = now.remaining == 0;
    const bool frame_whole = take == now.frame_size;
    if (frame_ends) now.in_payload = false;

    if (now.is_control()) {
        if (frame_whole) return end_control(now.opcode, piece, handler);
        now.control += piece;
        if (!frame_ends) return std::nullopt;
        return end_control(now.opcode, std::exchange(now.control, {}), handler);
    }
    if (now.message_opcode == Opcode::kText && !now.compressed && !now.utf8.feed(piece)) return kBadUtf8;
    const bool message_ends = frame_ends && now.fin;
    if (!message_ends) {
        now.message += piece;
        now.held.grow(piece.size());
        return std::nullopt;
    }
    now.in_message = false;
    if (now.message.empty()) return end_message(now, piece, handler, flow);
    std::string whole = std::exchange(now.message, {});
    whole += piece;
    return end_message(now, whole, handler, flow);
}

WebSocketDecoder::Fault WebSocketDecoder::end_message(const Begun& now, std::string_view payload, Handler& handler,
                                                      Flow& flow) {
    if (now.compressed) {
        const Inflater::Outcome outcome = inflater_->inflate(payload, max_message_);
        if (outcome.status == InflateStatus::kTooLarge) return kTooBig;
        if (outcome.status == InflateStatus::kCorrupt) {
            return WebSocketFault{kCloseInvalidData, "compressed data is corrupt"};
        }
        payload = outcome.message;
        if (now.message_opcode == Opcode::kText && !is_valid_utf8(payload)) return kBadUtf8;
    } else if (now.message_opcode == Opcode::kText && !now.utf8.complete()) {
        return kBadUtf8;
    }
    flow = handler.on_message(now.message_opcode, payload);
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::end_control(Opcode opcode, std::string_view payload, Handler& handler) {
    if (opcode == Opcode::kPing) {
        handler.on_ping(payload);
        return std::nullopt;
    }
    if (opcode == Opcode::kPong) {
        handler.on_pong(payload);
        return std::nullopt;
    }
    if (payload.size() == 1) return protocol("close frame with one byte");
    std::uint16_t code = kCloseNoStatus;
    if (payload.size() >= 2) {
        code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                          static_cast<unsigned char>(payload[1]));
        payload.remove_prefix(2);
        if (!is_valid_close_code(code)) return protocol("close code is not allowed");
        if (!is_valid_utf8(payload)) return WebSocketFault{kCloseInvalidData, "close reason is not UTF-8"};
    }
    closed_ = true;
    handler.on_close(code, payload);
    return std::nullopt;
}

}  // namespace parley::wire
