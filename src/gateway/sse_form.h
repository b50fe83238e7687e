#pragma once
#include <string>

#include "room/wire_form.h"
#include "wire/http_response.h"

namespace parley::gateway {

/// Encodes stored messages as events of the default name: `id:` is the seq, `data:` the message.
/// Thread: core-local; keeps scratch space.
class SseForm final : public room::WireForm {
public:
    /// HTTP/1.1 streams are chunked; HTTP/1.0 ones go as they are.
    explicit SseForm(wire::HttpBodyFraming framing) : framing_(framing) {}
    void prepare(std::span<const room::Item> items, room::Replay replay) override;
    void append(std::string& out, std::string_view) override { out += prepared_; }
    /// Events of a room have no seq and no id.
    void append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) override;

private:
    const wire::HttpBodyFraming framing_;
    std::string scratch_;
    std::string prepared_;
};

/// The two forms of one core.
class SseForms {
public:
    SseForm& get(wire::HttpBodyFraming framing) {
        return framing == wire::HttpBodyFraming::kChunked ? chunked_ : plain_;
    }

private:
    SseForm chunked_{wire::HttpBodyFraming::kChunked};
    SseForm plain_{wire::HttpBodyFraming::kUntilClose};
};

/// `piece` as a body of that framing has it.
void append_body_piece(std::string& out, wire::HttpBodyFraming framing, std::string_view piece);

}  // namespace parley::gateway
