#pragma once
#include <array>
#include <memory>
#include <string>

#include "gateway/exchange.h"
#include "room/wire_form.h"

namespace parley::wire {
class Deflater;
}

namespace parley::gateway {

class Core;
struct Identity;

/// A room's messages as JSON texts of a WebSocket, one in each. Thread: core-local.
class DirectForm final : public room::WireForm {
public:
    /// `deflater` null: not compressed.
    explicit DirectForm(wire::Deflater* deflater) : deflater_(deflater) {}
    void prepare(std::span<const room::Item> items, room::Replay replay) override;
    void append(std::string& out, std::string_view) override { out += prepared_; }
    void append_event(std::string& out, const RoomId& room, std::string_view json, std::string_view key) override;

private:
    wire::Deflater* const deflater_;
    std::string prepared_;
};

/// One-to-one chat, `/ws/direct?token&receiverId`: who may open one, and with whom.
///
/// Thread: core-local. Outlives the sessions it opens.
class DirectChats {
public:
    explicit DirectChats(Core& core) : core_(core) {}

    /// Answers with 101, or 400, 401, 404 and what every handshake may be refused for.
    void serve(const ExchangeRef& exchange);
    /// The form for sockets that compress with a window of so many bits; 0: that do not.
    [[nodiscard]] DirectForm& form(int deflate_bits);

private:
    struct Asked;
    void find_receiver(const ExchangeRef& exchange, Asked asked, Identity identity);
    void open(const ExchangeRef& exchange, Asked asked, Identity identity);

    Core& core_;
    std::array<std::unique_ptr<DirectForm>, 16> forms_;
};

}  // namespace parley::gateway
