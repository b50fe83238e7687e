#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "room/wire_form.h"
#include "wire/deflate.h"
#include "wire/stomp.h"

namespace parley::gateway {

/// What STOMP frames are wrapped in.
enum class StompFraming : std::uint8_t {
    kWebSocket,        ///< one frame in one text message
    kSockJsWebSocket,  ///< `a["…"]` in one text message
    kSockJsHttp,       ///< JSON strings joined by commas; the SockJS session puts `a[…]` around them
};

/// Encodes stored messages as STOMP MESSAGE frames for one kind of subscriber. The subscription id stands first in a
/// frame, so that all behind it is encoded, escaped and compressed once for everybody.
/// Thread: core-local; keeps scratch space.
class StompForm final : public room::WireForm {
public:
    struct Kind {
        StompFraming framing = StompFraming::kWebSocket;
        wire::StompVersion version = wire::StompVersion::k12;
        bool acks = false;          ///< each MESSAGE has an `ack` header: `<subscription>:<seq>`
        int deflate_bits = 0;       ///< 0: not compressed
        std::string destination;    ///< `/sub/chat/room/`, in front of the room id
        std::string events_suffix;  ///< behind it, for events: `/events`
        friend auto operator<=>(const Kind&, const Kind&) = default;
    };

    StompForm(Kind kind, wire::Deflater* deflater) : kind_(std::move(kind)), deflater_(deflater) {}
    void prepare(std::span<const room::Item> items, room::Replay replay) override;
    void append(std::string& out, std::string_view key) override;
    void append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) override;

private:
    /// A frame from behind its subscription header on, in the form's outer encoding.
    struct Tail {
        std::size_t end;  ///< in tails_
        std::uint64_t seq;
    };
    void add_tail(std::string_view frame);
    void wrap(std::string& out, std::string_view head, std::string_view tail);

    const Kind kind_;
    wire::Deflater* deflater_;
    std::string tails_;
    std::vector<Tail> prepared_;
    std::string frame_;
    std::string escaped_;
};

/// The forms of one core, each made at first use.
class StompForms {
public:
    explicit StompForms(wire::DeflaterSet& deflaters) : deflaters_(deflaters) {}
    StompForm& get(const StompForm::Kind& kind);

private:
    wire::DeflaterSet& deflaters_;
    std::map<StompForm::Kind, std::unique_ptr<StompForm>> forms_;
};

}  // namespace parley::gateway
