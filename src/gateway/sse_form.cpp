#include "gateway/sse_form.h"

#include "wire/sse.h"

namespace parley::gateway {

void append_body_piece(std::string& out, wire::HttpBodyFraming framing, std::string_view piece) {
    if (framing == wire::HttpBodyFraming::kChunked) {
        wire::append_chunk(out, piece);
    } else if (framing == wire::HttpBodyFraming::kUntilClose) {
        out += piece;
    }
}

void SseForm::prepare(std::span<const room::Item> items, room::Replay) {
    scratch_.clear();
    for (const room::Item& item : items) {
        const std::string id = std::to_string(item.message.seq.value);
        wire::append_sse_event(scratch_, {.id = id, .data = item.json});
    }
    prepared_.clear();
    append_body_piece(prepared_, framing_, scratch_);
}

void SseForm::append_event(std::string& out, const RoomId&, std::string_view json, std::string_view) {
    scratch_.clear();
    wire::append_sse_event(scratch_, {.name = "event", .data = json});
    append_body_piece(out, framing_, scratch_);
}

}  // namespace parley::gateway
