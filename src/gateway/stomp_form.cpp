#include "gateway/stomp_form.h"

#include <array>

#include "wire/sockjs.h"
#include "wire/websocket_frame.h"

namespace parley::gateway {

void StompForm::append(std::string& out, std::span<const room::Item> items, std::string_view key, room::Replay replay) {
    std::string destination;
    std::string message_id;
    std::string seq;
    std::string ack;
    for (const room::Item& item : items) {
        seq = std::to_string(item.message.seq.value);
        destination = kind_.destination + item.message.room.str();
        message_id = item.message.room.str() + ':' + seq;
        if (kind_.acks) ack.assign(key).append(":").append(seq);
        const std::array<wire::StompHeader, 5> headers{{{"destination", destination},
                                                        {"message-id", message_id},
                                                        {"seq", seq},
                                                        {"content-type", "application/json"},
                                                        {"replay", "true"}}};
        frame_.clear();
        wire::append_message_head(frame_, key, kind_.version, ack);
        wire::append_message_tail(frame_, std::span{headers}.first(replay == room::Replay::kYes ? 5 : 4), item.json,
                                  kind_.version);
        wrap(out, frame_);
    }
}

void StompForm::append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) {
    const std::string destination = kind_.destination + room.str() + kind_.events_suffix;
    // Not stored, so without seq; the id only has to differ.
    static thread_local std::uint64_t counter = 0;
    const std::string message_id = room.str() + ":event-" + std::to_string(++counter);
    const std::array<wire::StompHeader, 3> headers{
        {{"destination", destination}, {"message-id", message_id}, {"content-type", "application/json"}}};
    frame_.clear();
    wire::append_message_head(frame_, key, kind_.version);
    wire::append_message_tail(frame_, headers, json, kind_.version);
    wrap(out, frame_);
}

void StompForm::wrap(std::string& out, std::string_view frame) {
    if (kind_.framing == StompFraming::kSockJsHttp) {
        if (!out.empty()) out += ',';
        wire::append_sockjs_string(out, frame);
        return;
    }
    std::string array;
    if (kind_.framing == StompFraming::kSockJsWebSocket) {
        array = "a[";
        wire::append_sockjs_string(array, frame);
        array += ']';
        frame = array;
    }
    if (deflater_ != nullptr) {
        packed_.clear();
        deflater_->compress(frame, packed_);
        wire::append_frame_header(out, wire::Opcode::kText, packed_.size(), wire::Compressed::kYes);
        out += packed_;
        return;
    }
    wire::append_frame_header(out, wire::Opcode::kText, frame.size());
    out += frame;
}

StompForm& StompForms::get(const StompForm::Kind& kind) {
    auto& slot = forms_[kind];
    if (slot == nullptr) {
        slot = std::make_unique<StompForm>(kind, kind.deflate_bits == 0 ? nullptr : &deflaters_.at(kind.deflate_bits));
    }
    return *slot;
}

}  // namespace parley::gateway
