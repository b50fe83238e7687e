#include "gateway/news_board.h"

#include <algorithm>

namespace parley::gateway {
namespace {
constexpr std::string_view kJoined = "~joined:";
}

bool NewsBoard::News::changes_rights() const noexcept {
    return std::ranges::any_of(messages_, [](const auto& message) { return message->type == MessageType::kSystem; });
}

std::string_view NewsBoard::News::json(RoomSeq after) {
    if (!json_.empty() && json_after_ == after) return json_;
    json_.clear();
    json_after_ = after;
    for (const MessageRef& message : messages_) {
        if (message->seq <= after) continue;
        if (!json_.empty()) json_ += ',';
        json_ += to_json(*message);
    }
    return json_;
}

RoomId NewsBoard::joined_by(const MemberId& member) { return RoomId::trusted(std::string{kJoined} + member.str()); }

void NewsBoard::list_rooms(std::vector<RoomId>& out) const {
    for (const auto& [room, readers] : spots_) {
        if (!room.str().starts_with(kJoined)) out.push_back(room);
    }
}

NewsBoard::Spot& NewsBoard::watch(const RoomId& room, Reader& reader) {
    Spot& spot = *spots_.try_emplace(room).first;
    spot.second.push_back(&reader);
    return spot;
}

void NewsBoard::unwatch(Spot& spot, Reader& reader) noexcept {
    if (telling_ == &spot) {
        const auto found = std::ranges::find(*told_, &reader);
        if (found != told_->end()) {
            *found = nullptr;
            return;
        }
    }
    const auto found = std::ranges::find(spot.second, &reader);
    if (found == spot.second.end()) return;
    *found = spot.second.back();
    spot.second.pop_back();
    drop_if_empty(spot);
}

void NewsBoard::drop_if_empty(Spot& spot) noexcept {
    if (telling_ != &spot && spot.second.empty()) spots_.erase(spots_.find(spot.first));
}

void NewsBoard::on_messages(std::span<const MessageRef> messages) {
    if (spots_.empty()) return;
    for (std::size_t i = 0; i < messages.size();) {
        std::size_t end = i + 1;
        while (end < messages.size() && messages[end]->room == messages[i]->room) ++end;
        if (const auto found = spots_.find(messages[i]->room); found != spots_.end()) {
            News news{messages.subspan(i, end - i)};
            tell(*found, news);
        }
        i = end;
    }
}

void NewsBoard::tell(Spot& spot, News& news) {
    // Most go with the news they waited for: the list is taken away as a whole.
    Readers readers = std::exchange(spot.second, {});
    told_ = &readers;
    telling_ = &spot;
    for (std::size_t i = 0; i < readers.size(); ++i) {
        if (readers[i] != nullptr && !readers[i]->on_news(news)) readers[i] = nullptr;
    }
    told_ = nullptr;
    telling_ = nullptr;
    for (Reader* reader : readers) {
        if (reader != nullptr) spot.second.push_back(reader);
    }
    drop_if_empty(spot);
}

void NewsBoard::on_head(const RoomId& room, RoomSeq head) {
    const auto found = spots_.find(room);
    if (found == spots_.end()) return;
    const Readers readers = found->second;  // none of them goes at once: it asks first
    for (Reader* reader : readers) reader->on_head(room, head);
}

void NewsBoard::on_rights_changed(const RoomId& room) {
    const auto found = spots_.find(room);
    if (found == spots_.end()) return;
    const Readers readers = found->second;  // none of them goes at once: it asks first
    for (Reader* reader : readers) reader->on_rights_changed();
}

}  // namespace parley::gateway
