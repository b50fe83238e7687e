#include "room/recent.h"

#include <algorithm>

namespace parley::room {
namespace {
/// What a message takes in memory, near enough: its texts stand apart from it.
std::size_t footprint(const Message& message) {
    constexpr std::size_t kIds = 64;
    return sizeof(Message) + sizeof(MessageRef) + kIds + message.content.size() + message.extra.size();
}
}  // namespace

void RecentBudget::set_room(Bytes room) {
    const bool shrinks = room < room_;
    room_ = room;
    if (!shrinks) return;
    for (auto it = silent_first_.begin(); it != silent_first_.end();) (*it++)->trim();
    trim();
}

void RecentBudget::trim() {
    while (bytes_ > kFullRooms * room_.count) silent_first_.front()->forget_oldest();
}

void Recent::add(std::span<const MessageRef> run) {
    for (const MessageRef& message : run) {
        messages_.push_back(message);
        bytes_ += footprint(*message);
        budget_.bytes_ += footprint(*message);
    }
    auto& order = budget_.silent_first_;
    order.splice(order.end(), unlisted_.empty() ? order : unlisted_, place_);
    trim();
    budget_.trim();
}

void Recent::clear() {
    while (!messages_.empty()) forget_oldest();
}

std::vector<MessageRef> Recent::page(RoomSeq after, std::size_t most, Bytes max) const {
    if (messages_.empty() || messages_.front()->seq > after.next() || messages_.back()->seq <= after) return {};
    const std::size_t from = after.value + 1 - messages_.front()->seq.value;
    most = std::min(most, messages_.size() - from);
    std::vector<MessageRef> out;
    std::size_t bytes = 0;
    for (std::size_t i = from; out.size() < most; ++i) {
        bytes += messages_[i]->content.size();
        if (!out.empty() && bytes > max.count) break;
        out.push_back(messages_[i]);
    }
    return out;
}

void Recent::trim() {
    while (messages_.size() > budget_.room_messages_ || bytes_ > budget_.room_.count) forget_oldest();
}

void Recent::forget_oldest() {
    const std::size_t bytes = footprint(*messages_.front());
    bytes_ -= bytes;
    budget_.bytes_ -= bytes;
    messages_.pop_front();
    if (messages_.empty()) unlisted_.splice(unlisted_.end(), budget_.silent_first_, place_);
}

}  // namespace parley::room
