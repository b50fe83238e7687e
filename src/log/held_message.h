#pragma once
#include <memory>
#include <utility>

#include "base/memory_account.h"
#include "base/message.h"

namespace parley::log {

/// A message on its way from the log to whoever delivers it: counts as long as a mailbox or a room has it.
struct HeldMessage final : Message {
    memory::Charge held;
};

[[nodiscard]] inline MessageRef hold(Draft&& draft, const RoomId& room, RoomSeq seq, WallTime created_at) {
    auto message = std::make_shared<HeldMessage>();
    static_cast<Draft&>(*message) = std::move(draft);
    message->room = room;
    message->held = {memory::Use::kMessages, sizeof(HeldMessage) + message->content.capacity()};
    message->seq = seq;
    message->created_at = created_at;
    return message;
}

}  // namespace parley::log
