#include "chat/room_book.h"

#include <iterator>
#include <utility>

namespace parley::chat {

const RoomView* RoomBook::find(const RoomId& room, const MemberId& member) {
    const auto entry = rooms_.find(room);
    if (entry == rooms_.end()) return nullptr;
    const auto view = entry->second.views.find(member);
    if (view == entry->second.views.end()) return nullptr;
    view->second.used = true;
    return &view->second;
}

void RoomBook::forget_unused() {
    const std::size_t share = share_++ % kShares;
    for (std::size_t bucket = share; bucket < rooms_.bucket_count(); bucket += kShares) {
        for (auto next = rooms_.begin(bucket); next != rooms_.end(bucket);) {
            const auto entry = next++;
            auto& views = entry->second.views;
            for (auto view = views.begin(); view != views.end();) {
                view = std::exchange(view->second.used, false) ? std::next(view) : (--views_, views.erase(view));
            }
            if (views.empty()) rooms_.erase(rooms_.find(entry->first));
        }
    }
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
        [this, room, member, asked = changes(room), then = std::move(then)](Result<RoomView> answer) mutable {
            // An unknown room may come to be at any moment: it is not remembered.
            if (answer && answer->room && asked == changes(room)) {
                if (views_ >= kMaxViews) drop_all();
                if (rooms_[room].views.insert_or_assign(member, View{*answer}).second) ++views_;
            }
            then(std::move(answer));
        });
}

void RoomBook::forget(const RoomId& room) {
    ++changes(room);
    const auto entry = rooms_.find(room);
    if (entry == rooms_.end()) return;
    views_ -= entry->second.views.size();
    rooms_.erase(entry);
}

void RoomBook::forget_all() {
    for (std::uint64_t& count : changes_) ++count;
    drop_all();
}

void RoomBook::drop_all() {
    rooms_.clear();
    views_ = 0;
}

}  // namespace parley::chat
