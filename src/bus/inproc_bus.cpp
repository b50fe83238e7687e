#include "bus/inproc_bus.h"

#include <utility>

namespace parley::bus {

InprocBus::InprocBus(rt::Runtime& runtime) : runtime_(runtime), listeners_(runtime.size(), nullptr) {}

void InprocBus::attach(rt::Loop& loop, Listener& listener) { listeners_[loop.index()] = &listener; }
void InprocBus::detach(rt::Loop& loop) { listeners_[loop.index()] = nullptr; }

template <class Deliver>
void InprocBus::to_every_loop(Deliver deliver) {
    for (std::size_t i = 0; i < runtime_.size(); ++i) {
        runtime_.loop(i).post([this, i, deliver] {
            if (listeners_[i] != nullptr) deliver(*listeners_[i]);
        });
    }
}

void InprocBus::announce(std::span<const MessageRef> messages) {
    const auto batch = std::make_shared<const std::vector<MessageRef>>(messages.begin(), messages.end());
    to_every_loop([batch](Listener& listener) { listener.on_messages(batch); });
}

void InprocBus::event(RoomEvent event) {
    const auto shared = std::make_shared<const RoomEvent>(std::move(event));
    to_every_loop([shared](Listener& listener) { listener.on_room_event(*shared); });
}

void InprocBus::notify(Notice notice) {
    const auto shared = std::make_shared<const Notice>(std::move(notice));
    to_every_loop([shared](Listener& listener) { listener.on_notice(*shared); });
}

void InprocBus::missed() {
    to_every_loop([](Listener& listener) { listener.on_missed(); });
}

}  // namespace parley::bus
