#include "chat/room_book.h"

namespace parley::chat {

const RoomView* RoomBook::find(const RoomId& room, const MemberId& member) {
    const auto entry = rooms_.find(room);
    if (entry == rooms_.end()) return nullptr;
    const auto view = entry->second.views.find(member);
    return view == entry->second.views.end() ? nullptr : &view->second;
}

void RoomBook::learn(const RoomId& room, const MemberId& member, UniqueFunction<void(Result<RoomView>)> then) {
    asker_.ask(
        [&directory = directory_, room, member]() -> Result<RoomView> {
            RoomView view;
            auto info = directory.room(room);
            if (!info) return fail(info.error());
            view.room = std::move(*info);
            if (!view.room) return view;
            auto membership = directory.membership(room, member);
            if (!membership) return fail(membership.error());
            view.membership = std::move(*membership);
            return view;
        },
        [this, room, member, asked = forgotten_, then = std::move(then)](Result<RoomView> answer) mutable {
            // An unknown room may come to be at any moment: it is not remembered.
            if (answer && answer->room && asked == forgotten_) {
                if (views_ >= kMaxViews) {
                    rooms_.clear();
                    views_ = 0;
                }
                if (rooms_[room].views.insert_or_assign(member, *answer).second) ++views_;
            }
            then(std::move(answer));
        });
}

void RoomBook::forget(const RoomId& room) {
    ++forgotten_;
    const auto entry = rooms_.find(room);
    if (entry == rooms_.end()) return;
    views_ -= entry->second.views.size();
    rooms_.erase(entry);
}

}  // namespace parley::chat
