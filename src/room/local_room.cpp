#include "room/local_room.h"

#include <algorithm>

#include "room/hub.h"

namespace parley::room {

LocalRoom::LocalRoom(Hub& hub, RoomId id)
    : hub_(hub),
      id_(std::move(id)),
      gap_timer_(rt::Timer::of<&LocalRoom::fill_gap>(this)),
      retry_timer_(rt::Timer::of<&LocalRoom::retry>(this)) {}

LocalRoom::~LocalRoom() {
    for (auto& groups : groups_) {
        for (auto& [key, group] : groups) {
            for (Subscription* subscription : group.live) subscription->room_ = nullptr;
        }
    }
    for (auto& [subscription, serial] : all_) subscription->room_ = nullptr;
}

// --- who subscribes -----------------------------------------------------------------------------------------------

Group& LocalRoom::group_for(WireForm& form, std::string key, bool events) {
    auto& group = groups_[events ? 1 : 0][{&form, key}];
    group.form = &form;
    group.key = std::move(key);
    group.events = events;
    ++group.members;
    return group;
}

std::unique_ptr<Subscription> LocalRoom::add(Sink& sink, WireForm& form, std::string key, MemberId member,
                                             const Start& start) {
    std::unique_ptr<Subscription> subscription{new Subscription{*this, sink, std::move(member)}};
    subscription->group_ = &group_for(form, std::move(key), false);
    all_[subscription.get()] = ++serial_;
    ++subscriptions_;
    waiting_.push_back({subscription.get(), start});
    // Not from inside subscribe(): the caller does not hold the subscription yet.
    hub_.loop_.next_turn([this, serial = serial_, raw = subscription.get(), alive = std::weak_ptr<bool>{hub_.alive_},
                          room = id_, &hub = hub_] {
        if (alive.expired() || !hub.rooms_.contains(room) || hub.rooms_[room].get() != this) return;
        const auto found = all_.find(raw);
        if (found == all_.end() || found->second != serial) return;
        if (!known_) {
            load_head();
            return;
        }
        const auto entry = std::find_if(waiting_.begin(), waiting_.end(),
                                        [raw](const Waiting& waiting) { return waiting.subscription == raw; });
        if (entry == waiting_.end()) return;
        const Start begin_start = entry->start;
        waiting_.erase(entry);
        begin(*raw, begin_start);
    });
    return subscription;
}

std::unique_ptr<Subscription> LocalRoom::add_events(Sink& sink, WireForm& form, std::string key, MemberId member) {
    std::unique_ptr<Subscription> subscription{new Subscription{*this, sink, std::move(member)}};
    subscription->events_ = true;
    subscription->state_ = Subscription::State::kLive;
    subscription->group_ = &group_for(form, std::move(key), true);
    subscription->index_ = static_cast<std::uint32_t>(subscription->group_->live.size());
    subscription->group_->live.push_back(subscription.get());
    all_[subscription.get()] = ++serial_;
    ++subscriptions_;
    return subscription;
}

void LocalRoom::take_from_live(Subscription& subscription) noexcept {
    auto& live = subscription.group_->live;
    live[subscription.index_] = live.back();
    live[subscription.index_]->index_ = subscription.index_;
    live.pop_back();
}

void LocalRoom::remove(Subscription& subscription) noexcept {
    if (subscription.state_ == Subscription::State::kLive) take_from_live(subscription);
    Group* group = subscription.group_;
    // While publishing, the map is being walked: publish() clears up.
    if (--group->members == 0 && !publishing_) {
        auto& groups = groups_[group->events ? 1 : 0];
        groups.erase(groups.find({group->form, group->key}));
    }
    all_.erase(&subscription);
    std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.subscription == &subscription; });
    if (--subscriptions_ == 0) hub_.drop_if_idle(id_);
}

// --- where the room stands ----------------------------------------------------------------------------------------

void LocalRoom::load_head() {
    if (loading_) return;
    loading_ = true;
    // Whatever is committed after this read is announced to us: nothing falls between.
    hub_.asker_.ask([room = id_, &log = hub_.log_] { return log.head(room); },
                     [this, alive = std::weak_ptr<bool>{hub_.alive_}, room = id_, &hub = hub_](auto head) {
                         if (alive.expired()) return;
                         const auto found = hub.rooms_.find(room);
                         if (found != hub.rooms_.end() && found->second.get() == this) on_head(std::move(head));
                     });
}

void LocalRoom::on_head(Result<log::RoomHead> head) {
    loading_ = false;
    if (!head) {
        hub_.loop_.arm(retry_timer_, hub_.options_.retry_wait);
        return;
    }
    head_ = *head;
    known_ = true;
    std::vector<Waiting> waiting;
    waiting.swap(waiting_);
    for (const Waiting& entry : waiting) {
        if (all_.contains(entry.subscription)) begin(*entry.subscription, entry.start);
    }
    take_pending();
}

void LocalRoom::begin(Subscription& subscription, const Start& start) {
    const bool other_epoch = start.epoch && *start.epoch != head_.epoch;
    if (other_epoch || (start.from == Start::From::kAfter && start.after > head_.head)) {
        Sink& sink = subscription.sink_;
        const std::string key = subscription.group_->key;
        const log::RoomHead at = head_;
        subscription.stop();
        sink.on_position_invalid(key, id_, at);
        return;
    }
    subscription.replay_until_ = head_.head;
    switch (start.from) {
        case Start::From::kLive: begin_at(subscription, head_.head); return;
        case Start::From::kAfter: begin_at(subscription, start.after); return;
        case Start::From::kLast: {
            const std::uint64_t head = head_.head.value;
            const std::uint64_t oldest = head_.first.value - 1;  // `last: N` asks for what there is, not for a position
            begin_at(subscription, {std::max(oldest, head > start.last ? head - start.last : 0)});
            return;
        }
        case Start::From::kSince: break;
    }
    const std::uint64_t serial = all_[&subscription];
    hub_.asker_.ask([room = id_, since = start.since, &log = hub_.log_] { return log.seek(room, since); },
                     [this, raw = &subscription, serial, start, alive = std::weak_ptr<bool>{hub_.alive_}, room = id_,
                      &hub = hub_](Result<RoomSeq> after) {
                         if (alive.expired()) return;
                         const auto found = hub.rooms_.find(room);
                         if (found == hub.rooms_.end() || found->second.get() != this) return;
                         const auto entry = all_.find(raw);
                         if (entry == all_.end() || entry->second != serial) return;
                         if (after) {
                             begin_at(*raw, *after);
                         } else {
                             waiting_.push_back({raw, start});
                             hub_.loop_.arm(retry_timer_, hub_.options_.retry_wait);
                         }
                     });
}

void LocalRoom::begin_at(Subscription& subscription, RoomSeq after) {
    subscription.cursor_ = after;
    subscription.state_ = Subscription::State::kReading;
    catch_up(subscription);
}

void LocalRoom::retry() {
    if (!known_) {
        load_head();
        return;
    }
    std::vector<Waiting> waiting;
    waiting.swap(waiting_);
    for (const Waiting& entry : waiting) {
        if (all_.contains(entry.subscription)) begin(*entry.subscription, entry.start);
    }
    std::vector<Subscription*> stuck;
    for (auto& [subscription, serial] : all_) {
        if (subscription->state_ == Subscription::State::kRetry) stuck.push_back(subscription);
    }
    for (Subscription* subscription : stuck) {
        if (!all_.contains(subscription)) continue;
        subscription->state_ = Subscription::State::kReading;
        catch_up(*subscription);
    }
    if (!pending_.empty() && !gap_timer_.armed()) fill_gap();
}

// --- history, then live -------------------------------------------------------------------------------------------

void LocalRoom::catch_up(Subscription& subscription) {
    while (subscription.state_ == Subscription::State::kReading) {
        if (subscription.cursor_ == head_.head) {
            go_live(subscription);
            return;
        }
        const std::size_t budget = subscription.sink_.can_take();
        if (budget == 0) {
            subscription.state_ = Subscription::State::kWaiting;
            return;
        }
        if (recent_.empty() || recent_.front()->seq > subscription.cursor_.next()) {
            read_page(subscription, budget);
            return;
        }
        const std::size_t from = subscription.cursor_.value + 1 - recent_.front()->seq.value;
        const std::size_t count = std::min({recent_.size() - from, hub_.options_.page_messages, budget});
        const std::vector<MessageRef> page{recent_.begin() + static_cast<std::ptrdiff_t>(from),
                                           recent_.begin() + static_cast<std::ptrdiff_t>(from + count)};
        hand_over(subscription, page);
    }
}

void LocalRoom::read_page(Subscription& subscription, std::size_t budget) {
    const std::uint64_t serial = all_[&subscription];
    const auto& options = hub_.options_;
    hub_.asker_.ask(
        [room = id_, after = subscription.cursor_, limit = std::min(options.page_messages, budget),
         max = options.page_bytes, &log = hub_.log_] { return log.read(room, after, limit, max); },
        [this, raw = &subscription, serial, alive = std::weak_ptr<bool>{hub_.alive_}, room = id_,
         &hub = hub_](Result<log::Page> page) {
            if (alive.expired()) return;
            const auto found = hub.rooms_.find(room);
            if (found == hub.rooms_.end() || found->second.get() != this) return;
            const auto entry = all_.find(raw);
            if (entry != all_.end() && entry->second == serial) on_page(*raw, std::move(page));
        });
}

void LocalRoom::on_page(Subscription& subscription, Result<log::Page> page) {
    if (subscription.state_ != Subscription::State::kReading) return;
    if (!page) {
        subscription.state_ = Subscription::State::kRetry;
        if (!retry_timer_.armed()) hub_.loop_.arm(retry_timer_, hub_.options_.retry_wait);
        return;
    }
    if (page->at.first > subscription.cursor_.next()) {
        subscription.cursor_ = page->at.first.prev();
        head_.first = page->at.first;
        subscription.sink_.on_truncated(id_, page->at.first);
        if (subscription.state_ != Subscription::State::kReading) return;
    }
    // The log may be ahead of what has been announced here: those come live, in their turn.
    auto& messages = page->messages;
    while (!messages.empty() && messages.back()->seq > head_.head) messages.pop_back();
    const auto fresh = std::find_if(messages.begin(), messages.end(),
                                    [&](const MessageRef& message) { return message->seq > subscription.cursor_; });
    const std::span<const MessageRef> rest{fresh, messages.end()};
    if (rest.empty() && subscription.cursor_ < head_.head) {
        // Announced but not read back: ask again a little later rather than at once.
        subscription.state_ = Subscription::State::kRetry;
        if (!retry_timer_.armed()) hub_.loop_.arm(retry_timer_, hub_.options_.retry_wait);
        return;
    }
    hand_over(subscription, rest);
    catch_up(subscription);
}

void LocalRoom::hand_over(Subscription& subscription, std::span<const MessageRef> messages) {
    while (!messages.empty() && subscription.state_ == Subscription::State::kReading) {
        // What was stored before the subscription began is a replay; what came since is not.
        const bool replay = messages.front()->seq <= subscription.replay_until_;
        std::size_t count = messages.size();
        if (replay && messages.back()->seq > subscription.replay_until_) {
            count = subscription.replay_until_.value - messages.front()->seq.value + 1;
        }
        std::vector<std::string> json;
        std::vector<Item> items;
        json.reserve(count);
        items.reserve(count);
        for (const MessageRef& message : messages.first(count)) {
            json.push_back(to_json(*message));
            items.push_back({*message, json.back()});
        }
        std::string frames;
        subscription.group_->form->append(frames, items, subscription.group_->key, replay ? Replay::kYes : Replay::kNo);
        subscription.cursor_ = messages[count - 1]->seq;
        messages = messages.subspan(count);
        subscription.sink_.take(rt::Slice::whole(rt::ChunkRef::copy_of(frames)));
    }
}

void LocalRoom::go_live(Subscription& subscription) {
    subscription.state_ = Subscription::State::kLive;
    subscription.index_ = static_cast<std::uint32_t>(subscription.group_->live.size());
    subscription.group_->live.push_back(&subscription);
    if (!subscription.told_live_) {
        subscription.told_live_ = true;
        subscription.sink_.on_live(subscription.group_->key, head_);
    }
}

// --- what the bus brings ------------------------------------------------------------------------------------------

void LocalRoom::on_messages(std::span<const MessageRef> messages) {
    while (!messages.empty() && known_ && messages.front()->seq <= head_.head) messages = messages.subspan(1);
    if (messages.empty()) return;
    if (known_ && pending_.empty() && messages.front()->seq == head_.head.next()) {
        publish(messages);
        return;
    }
    for (const MessageRef& message : messages) pending_.emplace(message->seq.value, message);
    take_pending();
}

void LocalRoom::take_pending() {
    if (!known_) return;
    std::vector<MessageRef> next;
    for (auto it = pending_.begin(); it != pending_.end(); it = pending_.erase(it)) {
        const RoomSeq expected = next.empty() ? head_.head.next() : next.back()->seq.next();
        if (it->second->seq > expected) break;
        if (it->second->seq == expected) next.push_back(it->second);
    }
    if (!next.empty()) publish(next);
    if (pending_.empty()) {
        gap_timer_.cancel();
    } else if (!gap_timer_.armed() && !filling_) {
        hub_.loop_.arm(gap_timer_, hub_.options_.gap_wait);
    }
}

void LocalRoom::fill_gap() {
    if (filling_ || pending_.empty()) return;
    filling_ = true;
    const auto& options = hub_.options_;
    hub_.asker_.ask([room = id_, after = head_.head, limit = options.page_messages,
                      max = options.page_bytes, &log = hub_.log_] { return log.read(room, after, limit, max); },
                     [this, alive = std::weak_ptr<bool>{hub_.alive_}, room = id_, &hub = hub_](Result<log::Page> page) {
                         if (alive.expired()) return;
                         const auto found = hub.rooms_.find(room);
                         if (found == hub.rooms_.end() || found->second.get() != this) return;
                         filling_ = false;
                         if (!page) {
                             if (!retry_timer_.armed()) hub_.loop_.arm(retry_timer_, hub_.options_.retry_wait);
                             return;
                         }
                         for (const MessageRef& message : page->messages) {
                             pending_.emplace(message->seq.value, message);
                         }
                         take_pending();
                     });
}

void LocalRoom::publish(std::span<const MessageRef> messages) {
    while (!messages.empty()) {
        // A record that ends somebody's right ends the run: nothing above it may reach them.
        std::size_t count = 0;
        std::optional<RoomChange> change;
        while (count < messages.size() && !change) {
            const Message& message = *messages[count++];
            if (message.type == MessageType::kSystem) change = parse_room_change(message.extra);
        }
        const auto run = messages.first(count);
        messages = messages.subspan(count);

        std::vector<std::string> json;
        std::vector<Item> items;
        json.reserve(count);
        items.reserve(count);
        for (const MessageRef& message : run) {
            recent_.push_back(message);
            recent_bytes_ += message->content.size();
            json.push_back(to_json(*message));
            items.push_back({*message, json.back()});
        }
        while (recent_.size() > hub_.options_.recent_messages || recent_bytes_ > hub_.options_.recent_bytes.count) {
            recent_bytes_ -= recent_.front()->content.size();
            recent_.pop_front();
        }
        head_.head = run.back()->seq;
        publishing_ = true;
        for (auto& [key, group] : groups_[0]) publish_to(group, items);
        end_publishing();
        if (change) apply(*change);
    }
}

void LocalRoom::end_publishing() {
    publishing_ = false;
    for (auto& groups : groups_) std::erase_if(groups, [](const auto& entry) { return entry.second.members == 0; });
    // Who could take some of a run gets that much now.
    std::vector<Subscription*> partial;
    partial.swap(partial_);
    for (Subscription* subscription : partial) {
        if (all_.contains(subscription)) catch_up(*subscription);
    }
}

void LocalRoom::publish_to(Group& group, std::span<const Item> items) {
    if (group.live.empty()) return;
    std::string frames;
    group.form->append(frames, items, group.key, Replay::kNo);
    const rt::Slice slice = rt::Slice::whole(rt::ChunkRef::copy_of(frames));
    const RoomSeq last = items.back().message.seq;
    // Backwards: who is set back is replaced by one that has been served.
    for (std::size_t i = group.live.size(); i-- > 0;) {
        if (i >= group.live.size()) continue;
        Subscription& subscription = *group.live[i];
        if (subscription.cursor_ >= last) continue;
        const std::size_t budget = subscription.sink_.can_take();
        if (budget >= items.size()) {
            subscription.cursor_ = last;
            subscription.sink_.take(slice);
            continue;
        }
        take_from_live(subscription);
        subscription.replay_until_ = last;
        if (budget == 0) {
            subscription.state_ = Subscription::State::kWaiting;
        } else {
            subscription.state_ = Subscription::State::kReading;
            partial_.push_back(&subscription);
        }
        subscription.sink_.on_set_back(id_, subscription.cursor_);
    }
}

void LocalRoom::on_event(std::string_view json) {
    publishing_ = true;
    for (auto& [key, group] : groups_[1]) {
        if (group.live.empty()) continue;
        std::string frame;
        group.form->append_event(frame, id_, json, group.key);
        const rt::Slice slice = rt::Slice::whole(rt::ChunkRef::copy_of(frame));
        for (std::size_t i = group.live.size(); i-- > 0;) {
            if (i < group.live.size() && group.live[i]->sink_.can_take_event()) group.live[i]->sink_.take(slice);
        }
    }
    end_publishing();
}

// --- rights that end ----------------------------------------------------------------------------------------------

void LocalRoom::apply(const RoomChange& change) {
    if (change.kind == RoomChange::Kind::kMadePrivate) {
        recheck_members();
        return;
    }
    if (change.kind != RoomChange::Kind::kLeft && change.kind != RoomChange::Kind::kKicked) return;
    std::vector<Subscription*> theirs;
    for (auto& [subscription, serial] : all_) {
        if (subscription->member_ == change.member) theirs.push_back(subscription);
    }
    for (Subscription* subscription : theirs) {
        if (!all_.contains(subscription)) continue;
        Sink& sink = subscription->sink_;
        const std::string key = subscription->group_->key;
        subscription->stop();
        sink.on_ended(key, id_);
    }
}

void LocalRoom::recheck_members() {
    std::vector<std::pair<Subscription*, std::uint64_t>> everyone{all_.begin(), all_.end()};
    for (const auto& [subscription, serial] : everyone) {
        using State = Subscription::State;
        if (!subscription->events_ && subscription->state_ != State::kStarting) {
            if (subscription->state_ == State::kLive) take_from_live(*subscription);
            subscription->state_ = State::kChecking;
        }
        hub_.may_read_(id_, subscription->member_,
                       [this, raw = subscription, serial = serial, alive = std::weak_ptr<bool>{hub_.alive_}, room = id_,
                        &hub = hub_](bool allowed) {
                           if (alive.expired()) return;
                           const auto found = hub.rooms_.find(room);
                           if (found == hub.rooms_.end() || found->second.get() != this) return;
                           const auto entry = all_.find(raw);
                           if (entry == all_.end() || entry->second != serial) return;
                           if (!allowed) {
                               Sink& sink = raw->sink_;
                               const std::string key = raw->group_->key;
                               raw->stop();
                               sink.on_ended(key, id_);
                           } else if (raw->state_ == Subscription::State::kChecking) {
                               raw->state_ = Subscription::State::kReading;
                               catch_up(*raw);
                           }
                       });
    }
}

}  // namespace parley::room
