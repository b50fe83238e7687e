#include "room/hub.h"

namespace parley::room {
namespace {
constexpr std::size_t kGrowth = 1024 * 1024;
constexpr Bytes kLeastPage{4 * 1024};
}  // namespace

Hub::Hub(rt::Loop& loop, log::RoomLog& log, rt::Asker& asker, MayRead may_read, Options options)
    : loop_(loop), log_(log), asker_(asker), may_read_(std::move(may_read)), options_(options) {}

Hub::~Hub() = default;

LocalRoom& Hub::room(const RoomId& id) {
    auto& slot = rooms_[id];
    if (slot == nullptr) slot = std::make_unique<LocalRoom>(*this, id);
    return *slot;
}

std::unique_ptr<Subscription> Hub::subscribe(const RoomId& id, Sink& sink, WireForm& form, std::string key,
                                             const Start& start) {
    return room(id).add(sink, form, std::move(key), start);
}

std::unique_ptr<Subscription> Hub::subscribe_events(const RoomId& id, Sink& sink, WireForm& form, std::string key) {
    return room(id).add_events(sink, form, std::move(key));
}

void Hub::on_messages(std::span<const MessageRef> messages) {
    // Neighbours of one room go together: one encoding and one reference per subscriber for the whole run.
    for (std::size_t i = 0; i < messages.size();) {
        std::size_t end = i + 1;
        while (end < messages.size() && messages[end]->room == messages[i]->room) ++end;
        if (const auto found = rooms_.find(messages[i]->room); found != rooms_.end()) {
            found->second->on_messages(messages.subspan(i, end - i));
        }
        i = end;
    }
}

void Hub::on_room_event(const RoomId& id, std::string_view json) {
    if (const auto found = rooms_.find(id); found != rooms_.end()) found->second->on_event(json);
}

void Hub::on_head(const RoomId& id, RoomSeq head) {
    if (const auto found = rooms_.find(id); found != rooms_.end()) found->second->on_head(head);
}

void Hub::list_rooms(std::vector<RoomId>& out) const {
    for (const auto& [id, room] : rooms_) out.push_back(id);
}

void Hub::recheck(const RoomId& id, const RoomChange& change, const MayRead& may_read) {
    if (const auto found = rooms_.find(id); found != rooms_.end()) found->second->recheck(change, may_read);
}

void Hub::set_memory(Bytes share) {
    page_bytes_ = std::min(std::max(share, kLeastPage), options_.page_bytes);
    recent_.set_room(std::min(page_bytes_, options_.recent_bytes));
}

void Hub::grown(std::size_t bytes) {
    grown_ += bytes;
    if (grown_ < kGrowth || !on_growth_) return;
    grown_ = 0;
    on_growth_();
}

void Hub::drop_if_idle(const RoomId& id) {
    // Later: the caller may be inside the room. Somebody may have come back by then.
    loop_.next_turn([this, id, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        const auto found = rooms_.find(id);
        if (found != rooms_.end() && found->second->is_idle()) rooms_.erase(found);
    });
}

}  // namespace parley::room
