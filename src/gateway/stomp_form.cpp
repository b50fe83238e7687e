#include "gateway/stomp_form.h"

#include <array>

#include "wire/sockjs.h"
#include "wire/websocket_frame.h"

namespace parley::gateway {

void StompForm::prepare(std::span<const room::Item> items, room::Replay replay) {
    tails_.clear();
    prepared_.clear();
    std::string destination;
    std::string message_id;
    std::string seq;
    for (const room::Item& item : items) {
        seq = std::to_string(item.message.seq.value);
        destination = kind_.destination + item.message.room.str();
        message_id = item.message.room.str() + ':' + seq;
        const std::array<wire::StompHeader, 5> headers{{{"destination", destination},
                                                        {"message-id", message_id},
                                                        {"seq", seq},
                                                        {"content-type", "application/json"},
                                                        {"replay", "true"}}};
        frame_.clear();
        wire::append_message_tail(frame_, std::span{headers}.first(replay == room::Replay::kYes ? 5 : 4), item.json,
                                  kind_.version);
        add_tail(frame_);
        prepared_.push_back({tails_.size(), item.message.seq.value});
    }
}

void StompForm::append(std::string& out, std::string_view key) {
    std::string ack;
    std::size_t begin = 0;
    for (const Tail& tail : prepared_) {
        if (kind_.acks) ack.assign(key).append(":").append(std::to_string(tail.seq));
        frame_.clear();
        wire::append_message_head(frame_, key, kind_.version, ack);
        wrap(out, frame_, std::string_view{tails_}.substr(begin, tail.end - begin));
        begin = tail.end;
    }
}

void StompForm::append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) {
    const std::string destination = kind_.destination + room.str() + kind_.events_suffix;
    // Not stored, so without seq; the id only has to differ.
    static thread_local std::uint64_t counter = 0;
    const std::string message_id = room.str() + ":event-" + std::to_string(++counter);
    const std::array<wire::StompHeader, 3> headers{
        {{"destination", destination}, {"message-id", message_id}, {"content-type", "application/json"}}};
    tails_.clear();
    prepared_.clear();
    frame_.clear();
    wire::append_message_tail(frame_, headers, json, kind_.version);
    add_tail(frame_);
    frame_.clear();
    wire::append_message_head(frame_, key, kind_.version);
    wrap(out, frame_, tails_);
}

void StompForm::add_tail(std::string_view frame) {
    if (kind_.framing != StompFraming::kWebSocket) {
        escaped_.clear();
        wire::append_sockjs_escaped(escaped_, frame);
        escaped_ += kind_.framing == StompFraming::kSockJsWebSocket ? "\"]" : "\"";
        frame = escaped_;
    }
    if (deflater_ != nullptr) {
        deflater_->compress(frame, tails_);
    } else {
        tails_ += frame;
    }
}

void StompForm::wrap(std::string& out, std::string_view head, std::string_view tail) {
    if (kind_.framing != StompFraming::kWebSocket) {
        escaped_ = kind_.framing == StompFraming::kSockJsWebSocket ? "a[\"" : "\"";
        wire::append_sockjs_escaped(escaped_, head);
        head = escaped_;
    }
    if (kind_.framing == StompFraming::kSockJsHttp) {
        if (!out.empty()) out += ',';
        out += head;
    } else if (deflater_ != nullptr) {
        std::string packed;
        wire::Deflater::append_stored(packed, head);
        wire::append_frame_header(out, wire::Opcode::kText, packed.size() + tail.size(), wire::Compressed::kYes);
        out += packed;
    } else {
        wire::append_frame_header(out, wire::Opcode::kText, head.size() + tail.size());
        out += head;
    }
    out += tail;
}

StompForm& StompForms::get(const StompForm::Kind& kind) {
    auto& slot = forms_[kind];
    if (slot == nullptr) {
        slot = std::make_unique<StompForm>(kind, kind.deflate_bits == 0 ? nullptr : &deflaters_.at(kind.deflate_bits));
    }
    return *slot;
}

}  // namespace parley::gateway
