#include "wire/websocket.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "wire/deflate.h"

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

WebSocketDecoder::WebSocketDecoder(WebSocketLimits limits, Inflater* inflater) noexcept
    : inflater_(inflater),
      max_message_(static_cast<std::uint32_t>(limits.max_message.count)),
      max_fragments_(limits.max_fragments) {}

/// What compressed bytes may add up to: DEFLATE expands what it cannot compress by less than this.
std::size_t WebSocketDecoder::max_raw() const noexcept {
    return compressed_ ? std::size_t{max_message_} + max_message_ / 8 + 64 : max_message_;
}

WebSocketFed WebSocketDecoder::feed(std::span<char> bytes, Handler& handler) {
    std::size_t at = 0;
    Fault fault;
    Flow flow = Flow::kContinue;
    while (!closed_ && !fault && flow == Flow::kContinue) {
        if (!in_payload_) {
            if (at == bytes.size()) break;
            fault = read_header(bytes, at);
            if (fault || !in_payload_) continue;
        }
        if (at == bytes.size() && remaining_ > 0) break;
        fault = take_payload(bytes, at, handler, flow);
    }
    if (fault) {
        closed_ = true;
        message_ = std::string{};
        control_ = std::string{};
    }
    return {closed_ ? bytes.size() : at, fault};
}

WebSocketDecoder::Fault WebSocketDecoder::read_header(std::span<char> bytes, std::size_t& at) {
    std::size_t wanted = header_size_ < 2 ? 2 : header_length(header_[1]);
    while (true) {
        const std::size_t take = std::min(wanted - header_size_, bytes.size() - at);
        std::memcpy(header_.data() + header_size_, bytes.data() + at, take);
        header_size_ = static_cast<std::uint8_t>(header_size_ + take);
        at += take;
        if (header_size_ < wanted) return std::nullopt;
        if (wanted != 2) break;
        if (Fault fault = check_first_bytes()) return fault;
        wanted = header_length(header_[1]);
    }
    header_size_ = 0;
    return open_frame();
}

WebSocketDecoder::Fault WebSocketDecoder::check_first_bytes() const noexcept {
    const unsigned first = header_[0];
    const unsigned opcode = first & 0x0FU;
    const unsigned length = header_[1] & 0x7FU;
    if ((first & 0x30U) != 0) return protocol("reserved bit set");
    if (!is_known(opcode)) return protocol("unknown opcode");
    if ((first & 0x40U) != 0) {
        if (inflater_ == nullptr) return protocol("compressed frame without permessage-deflate");
        if (opcode != 1 && opcode != 2) return protocol("RSV1 set beyond the first frame of a message");
    }
    if ((header_[1] & 0x80U) == 0) return protocol("frame is not masked");
    if (opcode >= 8) {
        if ((first & 0x80U) == 0) return protocol("fragmented control frame");
        if (length > 125) return protocol("control frame too long");
    } else if (opcode == 0) {
        if (!in_message_) return protocol("continuation of nothing");
    } else if (in_message_) {
        return protocol("new message inside a fragmented one");
    }
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::open_frame() {
    const std::size_t length_bytes = header_length(header_[1]) - 6;
    std::uint64_t length = header_[1] & 0x7FU;
    if (length_bytes > 0) {
        length = 0;
        for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | header_[2 + i];
        if (length >> 63 != 0) return protocol("frame length with its highest bit set");
        if (length <= (length_bytes == 2 ? 125U : 0xFFFFU)) return protocol("frame length not in its shortest form");
    }
    std::memcpy(key_.data(), header_.data() + 2 + length_bytes, key_.size());
    opcode_ = static_cast<Opcode>(header_[0] & 0x0FU);
    fin_ = (header_[0] & 0x80U) != 0;
    if (!is_control()) {
        if (opcode_ != Opcode::kContinuation) {
            in_message_ = true;
            message_opcode_ = opcode_;
            compressed_ = (header_[0] & 0x40U) != 0;
            fragments_ = 0;
            utf8_.reset();
        }
        if (++fragments_ > max_fragments_) return WebSocketFault{kCloseTooBig, "too many fragments"};
        if (length > max_raw() - message_.size()) return kTooBig;
    }
    frame_size_ = remaining_ = static_cast<std::uint32_t>(length);
    in_payload_ = true;
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::take_payload(std::span<char> bytes, std::size_t& at, Handler& handler,
                                                       Flow& flow) {
    const std::size_t take = std::min<std::size_t>(remaining_, bytes.size() - at);
    const std::string_view piece{bytes.data() + at, take};
    unmask(bytes.data() + at, take, key_, frame_size_ - remaining_);
    at += take;
    remaining_ -= static_cast<std::uint32_t>(take);
    const bool frame_ends = remaining_ == 0;
    const bool frame_whole = take == frame_size_;
    if (frame_ends) in_payload_ = false;

    if (is_control()) {
        if (frame_whole) return end_control(piece, handler);
        control_ += piece;
        if (!frame_ends) return std::nullopt;
        return end_control(std::exchange(control_, {}), handler);
    }
    if (message_opcode_ == Opcode::kText && !compressed_ && !utf8_.feed(piece)) return kBadUtf8;
    const bool message_ends = frame_ends && fin_;
    if (!message_ends) {
        message_ += piece;
        return std::nullopt;
    }
    in_message_ = false;
    if (message_.empty()) return end_message(message_opcode_, piece, compressed_, handler, flow);
    std::string whole = std::exchange(message_, {});
    whole += piece;
    return end_message(message_opcode_, whole, compressed_, handler, flow);
}

WebSocketDecoder::Fault WebSocketDecoder::end_message(Opcode opcode, std::string_view payload, bool compressed,
                                                      Handler& handler, Flow& flow) {
    if (compressed) {
        const Inflater::Outcome outcome = inflater_->inflate(payload, max_message_);
        if (outcome.status == InflateStatus::kTooLarge) return kTooBig;
        if (outcome.status == InflateStatus::kCorrupt) {
            return WebSocketFault{kCloseInvalidData, "compressed data is corrupt"};
        }
        payload = outcome.message;
        if (opcode == Opcode::kText && !is_valid_utf8(payload)) return kBadUtf8;
    } else if (opcode == Opcode::kText && !utf8_.complete()) {
        return kBadUtf8;
    }
    flow = handler.on_message(opcode, payload);
    return std::nullopt;
}

WebSocketDecoder::Fault WebSocketDecoder::end_control(std::string_view payload, Handler& handler) {
    if (opcode_ == Opcode::kPing) {
        handler.on_ping(payload);
        return std::nullopt;
    }
    if (opcode_ == Opcode::kPong) {
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
