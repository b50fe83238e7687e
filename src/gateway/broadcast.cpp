#include "gateway/broadcast.h"

#include <array>
#include <memory>

#include "gateway/core.h"
#include "gateway/handshake.h"
#include "gateway/session.h"
#include "gateway/ws_apps.h"
#include "gateway/ws_plain.h"
#include "wire/websocket_frame.h"

namespace parley::gateway {

/// One who is connected to `/room`. Thread: core-local. Owned by its WsSession.
class BroadcastApp final : public WsApp, public Session {
public:
    explicit BroadcastApp(Core& core)
        : core_(core), rate_(core.services().rates.send("~room:" + core.random_id(), core.loop().now())) {}

    void on_open(WsSession& socket) override {
        socket_ = &socket;
        core_.add(*this);
        core_.broadcast().add(*this);
        core_.services().counters.sessions("websocket-room").add();
    }
    wire::Flow on_message(wire::Opcode opcode, std::string_view text) override {
        core_.services().counters.messages_in.add();
        if (opcode != wire::Opcode::kText) {
            refuse(Code::kInvalidPayload, "text messages only");
        } else if (rate_.take(core_.loop().now())) {
            refuse(Code::kRateLimited, {});
        } else {
            return core_.broadcast().say(text);
        }
        return socket_->connection().can_take() ? wire::Flow::kContinue : wire::Flow::kPause;
    }
    void on_drained() override { socket_->resume(); }
    void on_closed() override {
        socket_ = nullptr;
        core_.broadcast().remove(*this);
        core_.remove(*this);
    }

    void on_second(WallTime, SteadyTime now) override { socket_->on_second(now, core_.options().patience); }
    void on_token_revoked(std::string_view) override {}
    void on_member_revoked(const MemberId&, WallTime) override {}
    void drain(milliseconds reconnect_after) override { socket_->close(1001, std::to_string(reconnect_after.count())); }

    [[nodiscard]] WsSession& socket() noexcept { return *socket_; }

private:
    void refuse(Code code, std::string_view message) {
        core_.services().counters.refused(code).add();
        socket_->send_text(error_json(code, message));
    }

    Core& core_;
    auth::SendRate rate_;
    WsSession* socket_ = nullptr;
};

Broadcast::Broadcast(Core& core)
    : core_(core),
      missed_(core.services().metrics.counter("parley_broadcast_missed_total",
                                              "Texts of /room that a full send buffer could not take")) {}

Broadcast::~Broadcast() = default;

void Broadcast::serve(const ExchangeRef& exchange) {
    if (refuses_websocket(core_, exchange)) return;
    upgrade_to_websocket(core_, exchange, std::make_unique<BroadcastApp>(core_),
                         {.max_message = core_.options().message}, {});
}

void Broadcast::remove(BroadcastApp& listener) noexcept { std::erase(listeners_, &listener); }

wire::Flow Broadcast::say(std::string_view text) {
    Services& services = core_.services();
    const auto message = std::make_shared<const std::string>("Server received: " + std::string{text});
    const std::size_t here = core_.loop().index();
    for (std::size_t i = 0; i < services.cores.size(); ++i) {
        if (i == here) continue;
        ++in_flight_;
        services.runtime.loop(i).post([&services, i, here, message] {
            if (services.cores[i] != nullptr) services.cores[i]->broadcast().deliver(*message);
            services.runtime.loop(here).post([&services, here] {
                if (services.cores[here] != nullptr) services.cores[here]->broadcast().arrived();
            });
        });
    }
    deliver(*message);
    return in_flight_ < kInFlight ? wire::Flow::kContinue : wire::Flow::kPause;
}

void Broadcast::deliver(std::string_view text) {
    // Encoded once for each way of compressing, by its window's bits; 0 is none.
    std::array<rt::Slice, 16> frames;
    std::size_t reached = 0;
    for (BroadcastApp* listener : listeners_) {
        WsSession& socket = listener->socket();
        if (!socket.connection().can_take()) {
            missed_.add();
            continue;
        }
        auto& frame = frames.at(static_cast<std::size_t>(socket.deflate_bits()));
        if (!frame.chunk) {
            std::string bytes;
            append_text_frame(bytes, text, deflater_of(core_, socket.deflate_bits()));
            frame = rt::Slice::whole(rt::ChunkRef::copy_of(bytes));
        }
        socket.send_encoded(frame);
        ++reached;
    }
    core_.services().counters.messages_out.add(reached);
}

void Broadcast::arrived() {
    if (--in_flight_ != kInFlight / 2) return;
    for (BroadcastApp* listener : listeners_) listener->socket().resume();
}

}  // namespace parley::gateway
