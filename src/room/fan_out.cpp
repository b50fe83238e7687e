// The fast path: what every delivered message goes through. A message is encoded once for each wire form, its frame put
// together once for each group; then a live subscriber costs one entry of Group::live and one reference in its
// connection's queue.
// Invariants: Live::direct is a connection that is open, because a session takes its subscriptions from the rooms
// (on_closed(), before anything is destroyed: bury()); bytes that a queue refers to are never written again.
#include <utility>

#include "room/hub.h"
#include "room/local_room.h"

namespace parley::room {
namespace {
/// How far ahead of its use a connection is fetched into the cache.
constexpr std::size_t kFetchAhead = 4;
constexpr std::size_t kRunBytes = 64 * 1024;
constexpr milliseconds kLongestRest{8};

void fetch_ahead(const std::vector<Live>& live, std::size_t i) {
    if (i >= kFetchAhead) __builtin_prefetch(live[i - kFetchAhead].direct);
}
}  // namespace

void LocalRoom::add_to_live(Subscription& subscription) {
    auto& live = subscription.group_->live;
    subscription.index_ = static_cast<std::uint32_t>(live.size());
    live.push_back({subscription.sink_.direct(), &subscription, subscription.cursor_});
}

void LocalRoom::take_from_live(Subscription& subscription) noexcept {
    auto& live = subscription.group_->live;
    subscription.cursor_ = live[subscription.index_].through;
    live[subscription.index_] = live.back();
    live[subscription.index_].who->index_ = subscription.index_;
    live.pop_back();
}

void LocalRoom::publish(std::span<const MessageRef> messages) {
    while (!messages.empty()) {
        // A record that ends somebody's right ends the run: nothing above it may reach them. So does
        // kRunBytes: who can take a run gets all of it.
        std::size_t count = 0;
        std::size_t bytes = 0;
        std::optional<RoomChange> change;
        while (count < messages.size() && !change && bytes < kRunBytes) {
            const Message& message = *messages[count++];
            bytes += message.content.size();
            if (message.type == MessageType::kSystem) change = parse_room_change(message.extra);
        }
        const auto run = messages.first(count);
        messages = messages.subspan(count);

        const Items items{run};
        recent_.add(run);
        head_.head = run.back()->seq;
        publishing_ = true;
        std::size_t readers = 0;
        const WireForm* prepared = nullptr;
        for (auto& [key, group] : groups_[0]) {  // those of one form stand together
            if (group.live.empty()) continue;
            if (prepared != group.form) group.form->prepare(items.all(), Replay::kNo);
            prepared = group.form;
            readers += group.live.size();
            publish_to(group, count, run.back()->seq);
        }
        end_publishing();
        rest(readers);
        if (change) apply(*change);
    }
}

void LocalRoom::end_publishing() {
    publishing_ = false;
    for (auto& groups : groups_) std::erase_if(groups, [](const auto& entry) { return entry.second.members == 0; });
    // Who could take some of a run gets that much now.
    const std::vector<Ref> partial = std::exchange(partial_, {});
    for (const Ref& who : partial) {
        if (Subscription* const reader = find(who)) catch_up(*reader);
    }
}

void LocalRoom::rest(std::size_t readers) {
    if (resting_ || readers < hub_.options_.readers_for_rest) return;
    resting_ = true;
    // From the end of this turn, when all has been written.
    const auto wait = std::min(kLongestRest, milliseconds{readers / hub_.options_.readers_for_rest});
    hub_.loop_.next_turn([this, wait, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        hub_.loop_.run_after(wait, [this, alive] {
            if (!alive.expired()) end_rest();
        });
    });
}

void LocalRoom::end_rest() {
    resting_ = false;
    if (pending_.empty()) return;
    const WallTime last = pending_.rbegin()->second->created_at;
    take_pending();
    if (hub_.on_rested_) hub_.on_rested_(last);
}

void LocalRoom::publish_to(Group& group, std::size_t count, RoomSeq last) {
    auto& live = group.live;
    std::string frames;
    group.form->append(frames, group.key);
    const rt::Slice slice = rt::Slice::whole(rt::ChunkRef::copy_of(frames));
    hub_.grown(slice.size());
    // Backwards: who is set back is replaced by one that has been served, as `through` shows.
    for (std::size_t i = live.size(); i-- > 0;) {
        if (i >= live.size()) continue;
        fetch_ahead(live, i);
        Live& entry = live[i];
        if (entry.through >= last) continue;
        Subscription& subscription = *entry.who;
        std::size_t budget = 0;
        if (entry.direct != nullptr) {
            if (entry.direct->can_take()) {
                entry.through = last;
                entry.direct->send(slice);
                hub_.delivered_ += count;
                continue;
            }
        } else {
            budget = subscription.sink_.can_take();
            if (budget >= count) {
                taken_after_ = std::exchange(entry.through, last);
                hub_.delivered_ += count;
                subscription.sink_.take(slice);
                continue;
            }
        }
        set_back(subscription, budget, last);
    }
}

void LocalRoom::set_back(Subscription& subscription, std::size_t budget, RoomSeq last) {
    take_from_live(subscription);
    subscription.replay_until_ = last;
    if (budget == 0) {
        subscription.state_ = Subscription::State::kWaiting;
    } else {
        subscription.state_ = Subscription::State::kReading;
        partial_.push_back(ref(subscription));
    }
    subscription.sink_.on_set_back(id_, subscription.cursor_);
}

void LocalRoom::on_event(std::string_view json) {
    publishing_ = true;
    for (auto& [key, group] : groups_[1]) {
        auto& live = group.live;
        if (live.empty()) continue;
        std::string frame;
        group.form->append_event(frame, id_, json, group.key);
        const rt::Slice slice = rt::Slice::whole(rt::ChunkRef::copy_of(frame));
        for (std::size_t i = live.size(); i-- > 0;) {
            if (i >= live.size() || live[i].who->checks_ != 0) continue;
            fetch_ahead(live, i);
            if (rt::Connection* const direct = live[i].direct; direct != nullptr) {
                if (direct->is_relaxed()) direct->send(slice);
            } else if (live[i].who->sink_.can_take_event()) {
                live[i].who->sink_.take(slice);
            }
        }
    }
    end_publishing();
}

}  // namespace parley::room
