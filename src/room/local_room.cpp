#include "room/local_room.h"

#include <algorithm>
#include <utility>

#include "log/claimed_head.h"
#include "room/hub.h"

namespace parley::room {

LocalRoom::LocalRoom(Hub& hub, RoomId id)
    : hub_(hub),
      id_(std::move(id)),
      recent_(hub.recent_),
      gap_timer_(rt::Timer::of<&LocalRoom::fill_gap>(this)),
      retry_timer_(rt::Timer::of<&LocalRoom::retry>(this)) {}

LocalRoom::~LocalRoom() {
    for (Subscription* subscription : slots_) {
        if (subscription == nullptr) continue;
        subscription->room_ = nullptr;
        subscription->state_ = Subscription::State::kEnded;
    }
}

Subscription* LocalRoom::find(const Ref& ref) const noexcept {
    Subscription* const found = slots_[ref.slot];
    return found != nullptr && found->serial_ == ref.serial ? found : nullptr;
}

void LocalRoom::settle(Subscription& subscription) {
    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.push_back(nullptr);
    }
    subscription.slot_ = free_slots_.back();
    subscription.serial_ = ++last_serial_;
    free_slots_.pop_back();
    slots_[subscription.slot_] = &subscription;
}

std::vector<LocalRoom::Ref> LocalRoom::everyone() const {
    std::vector<Ref> out;
    out.reserve(slots_.size());
    for (const Subscription* subscription : slots_) {
        if (subscription != nullptr) out.push_back(ref(*subscription));
    }
    return out;
}

template <class Question, class Then>
void LocalRoom::ask(Question question, Then then) {
    hub_.asker_.ask(std::move(question),
                    [then = std::move(then), alive = std::weak_ptr<bool>{alive_}](auto answer) mutable {
                        if (!alive.expired()) then(std::move(answer));
                    });
}

template <class Question, class Then>
void LocalRoom::ask_for(Subscription& subscription, Question question, Then then) {
    ask(std::move(question), [this, who = ref(subscription), then = std::move(then)](auto answer) mutable {
        if (Subscription* const asking = find(who)) then(*asking, std::move(answer));
    });
}

void LocalRoom::retry_in(milliseconds wait) {
    if (!retry_timer_.armed()) hub_.loop_.arm(retry_timer_, wait);
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

std::unique_ptr<Subscription> LocalRoom::add(Sink& sink, WireForm& form, std::string key, const Start& start) {
    std::unique_ptr<Subscription> subscription{new Subscription{*this, sink}};
    subscription->group_ = &group_for(form, std::move(key), false);
    settle(*subscription);
    waiting_.push_back({ref(*subscription), start});
    // Not from inside subscribe(): the caller does not hold the subscription yet.
    hub_.loop_.next_turn([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        if (known_) {
            begin_waiting();
        } else {
            load_head();
        }
    });
    return subscription;
}

std::unique_ptr<Subscription> LocalRoom::add_events(Sink& sink, WireForm& form, std::string key) {
    std::unique_ptr<Subscription> subscription{new Subscription{*this, sink}};
    subscription->events_ = true;
    subscription->state_ = Subscription::State::kLive;
    subscription->group_ = &group_for(form, std::move(key), true);
    settle(*subscription);
    add_to_live(*subscription);
    return subscription;
}

void LocalRoom::remove(Subscription& subscription) noexcept {
    if (subscription.state_ == Subscription::State::kLive) take_from_live(subscription);
    Group* group = subscription.group_;
    // While publishing, the map is being walked: publish() clears up.
    if (--group->members == 0 && !publishing_) {
        auto& groups = groups_[group->events ? 1 : 0];
        groups.erase(groups.find({group->form, group->key}));
    }
    slots_[subscription.slot_] = nullptr;
    free_slots_.push_back(subscription.slot_);
    if (is_idle()) hub_.drop_if_idle(id_);
}

// --- where the room stands ----------------------------------------------------------------------------------------

void LocalRoom::load_head() {
    if (loading_ || retry_timer_.armed()) return;
    loading_ = true;
    // Whatever is committed after this read is announced to us: nothing falls between.
    ask([room = id_, &log = hub_.log_] { return log.head(room); },
        [this](Result<log::RoomHead> head) { on_head(std::move(head)); });
}

void LocalRoom::on_head(Result<log::RoomHead> head) {
    loading_ = false;
    if (!head) {
        retry_in(hub_.options_.retry_wait);
        return;
    }
    head_ = *head;
    known_ = true;
    begin_waiting();
    take_pending();
}

void LocalRoom::begin_waiting() {
    const std::vector<Waiting> waiting = std::exchange(waiting_, {});
    for (const Waiting& entry : waiting) {
        if (Subscription* const reader = find(entry.who)) begin(*reader, entry.start);
    }
}

void LocalRoom::begin_later(Subscription& subscription, const Start& start, milliseconds wait) {
    waiting_.push_back({ref(subscription), start});
    retry_in(wait);
}

void LocalRoom::begin(Subscription& subscription, const Start& start) {
    const bool other_epoch = start.epoch && *start.epoch != head_.epoch;
    if (other_epoch || (start.from == Start::From::kAfter && start.after > head_.head)) {
        find_position(subscription, start);
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
        case Start::From::kSince: find_time(subscription, start); return;
    }
}

void LocalRoom::find_position(Subscription& subscription, const Start& start) {
    // The log decides: another core, or another server, may have told the client of a message that has not been
    // announced here yet.
    const RoomSeq claimed = start.from == Start::From::kAfter ? start.after : RoomSeq{};
    ask_for(
        subscription,
        [room = id_, claimed, epoch = start.epoch, &log = hub_.log_] {
            return log::head_for(log, room, claimed, epoch);
        },
        [this, start](Subscription& asking, Result<log::RoomHead> at) {
            if (!at) {
                begin_later(asking, start, hub_.options_.retry_wait);
                return;
            }
            const bool other_epoch = start.epoch && *start.epoch != at->epoch;
            if (!other_epoch && (start.from != Start::From::kAfter || start.after <= at->head)) {
                head_.epoch = at->epoch;
                heard_of(at->head);
                if (start.from != Start::From::kAfter || start.after <= head_.head) {
                    begin(asking, start);
                } else {
                    begin_later(asking, start, 2 * hub_.options_.gap_wait);
                }
                return;
            }
            Sink& sink = asking.sink_;
            const std::string key = asking.group_->key;
            asking.stop();
            sink.on_position_invalid(key, id_, *at);
        });
}

void LocalRoom::find_time(Subscription& subscription, const Start& start) {
    ask_for(
        subscription, [room = id_, since = start.since, &log = hub_.log_] { return log.seek(room, since); },
        [this, start](Subscription& asking, Result<RoomSeq> after) {
            if (after) {
                begin_at(asking, *after);
            } else {
                begin_later(asking, start, hub_.options_.retry_wait);
            }
        });
}

void LocalRoom::begin_at(Subscription& subscription, RoomSeq after) {
    // The log may be ahead of what was announced here.
    subscription.cursor_ = std::min(after, head_.head);
    subscription.state_ = Subscription::State::kReading;
    catch_up(subscription);
}

void LocalRoom::retry() {
    for (const Unchecked& entry : std::exchange(unchecked_, {})) {
        if (find(entry.who) != nullptr) check(entry.who, entry.may_read);
    }
    if (!known_) {
        load_head();
        return;
    }
    begin_waiting();
    for (const Ref& who : everyone()) {
        Subscription* const reader = find(who);
        if (reader == nullptr || reader->state_ != Subscription::State::kRetry) continue;
        reader->state_ = Subscription::State::kReading;
        catch_up(*reader);
    }
    if (head_.head < announced_ && !gap_timer_.armed()) fill_gap();
}

// --- history, then live -------------------------------------------------------------------------------------------

void LocalRoom::catch_up(Subscription& subscription) {
    using State = Subscription::State;
    if (publishing_) {  // what the form has prepared is in use
        partial_.push_back(ref(subscription));
        return;
    }
    while (subscription.state_ == State::kReading && !subscription.reading_ && subscription.checks_ == 0) {
        if (subscription.cursor_ == head_.head) {
            go_live(subscription);
            return;
        }
        const std::size_t budget = subscription.sink_.can_take();
        if (budget == 0) {
            subscription.state_ = State::kWaiting;
            return;
        }
        const auto page =
            recent_.page(subscription.cursor_, std::min(hub_.options_.page_messages, budget), hub_.page_bytes_);
        if (page.empty()) {
            read_page(subscription, budget);
            return;
        }
        hand_over(subscription, page);
    }
}

void LocalRoom::read_page(Subscription& subscription, std::size_t budget) {
    subscription.reading_ = true;
    const auto& options = hub_.options_;
    ask_for(
        subscription,
        [room = id_, after = subscription.cursor_, limit = std::min(options.page_messages, budget),
         max = hub_.page_bytes_, &log = hub_.log_] { return log.read(room, after, limit, max); },
        [this](Subscription& reader, Result<log::Page> page) { on_page(reader, std::move(page)); });
}

void LocalRoom::on_page(Subscription& subscription, Result<log::Page> page) {
    using State = Subscription::State;
    subscription.reading_ = false;
    if (subscription.state_ != State::kReading || subscription.checks_ != 0) return;
    if (!page) {
        subscription.state_ = State::kRetry;
        retry_in(hub_.options_.retry_wait);
        return;
    }
    heard_of(page->at.head);
    if (page->at.first > subscription.cursor_.next() && page->at.first.prev() <= head_.head) {
        subscription.cursor_ = page->at.first.prev();
        head_.first = std::max(head_.first, page->at.first);
        subscription.sink_.on_truncated(id_, page->at.first);
        if (subscription.state_ != State::kReading) return;
    }
    // The log may be ahead of what has been announced here: those come live, in their turn.
    auto& messages = page->messages;
    while (!messages.empty() && messages.back()->seq > head_.head) messages.pop_back();
    std::span<const MessageRef> rest{messages};
    while (!rest.empty() && rest.front()->seq <= subscription.cursor_) rest = rest.subspan(1);
    const std::size_t budget = rest.empty() ? 0 : subscription.sink_.can_take();
    if (rest.empty() ? subscription.cursor_ < head_.head : rest.front()->seq != subscription.cursor_.next()) {
        // Announced but not read back: ask again a little later rather than at once.
        subscription.state_ = State::kRetry;
        retry_in(hub_.options_.retry_wait);
        return;
    }
    hand_over(subscription, rest.first(std::min(rest.size(), budget)));
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
        const Items items{messages.first(count)};
        std::string frames;
        subscription.group_->form->prepare(items.all(), replay ? Replay::kYes : Replay::kNo);
        subscription.group_->form->append(frames, subscription.group_->key);
        taken_after_ = messages.front()->seq.prev();
        subscription.cursor_ = messages[count - 1]->seq;
        messages = messages.subspan(count);
        hub_.delivered_ += count;
        hub_.grown(frames.size());
        subscription.sink_.take(rt::Slice::whole(rt::ChunkRef::copy_of(frames)));
    }
}

void LocalRoom::go_live(Subscription& subscription) {
    subscription.state_ = Subscription::State::kLive;
    add_to_live(subscription);
    if (subscription.told_live_) return;
    subscription.told_live_ = true;
    const std::string key = subscription.group_->key;  // the group may go with the subscription
    const log::RoomHead at = head_;
    subscription.sink_.on_live(key, at);
}

// --- what the bus brings ------------------------------------------------------------------------------------------

void LocalRoom::on_messages(std::span<const MessageRef> messages) {
    while (!messages.empty() && known_ && messages.front()->seq <= head_.head) messages = messages.subspan(1);
    if (messages.empty()) return;
    announced_ = std::max(announced_, messages.back()->seq);
    const bool dense = messages.back()->seq.value - messages.front()->seq.value + 1 == messages.size();
    if (resting_ && may_wait(messages)) {
        for (const MessageRef& message : messages) keep_pending(message);
        return;
    }
    if (pending_.size() + messages.size() > hub_.options_.recent_messages) take_pending();  // or some had no place
    if (known_ && pending_.empty() && dense && messages.front()->seq == head_.head.next()) {
        publish(messages);
        watch_gap();
        return;
    }
    for (const MessageRef& message : messages) keep_pending(message);
    take_pending();
}

/// What ends or changes rights does not: what it does to the directory may be told of before the rest is over.
bool LocalRoom::may_wait(std::span<const MessageRef> messages) const {
    return pending_.size() + messages.size() <= hub_.options_.recent_messages / 2 &&
           std::none_of(messages.begin(), messages.end(),
                        [](const MessageRef& message) { return message->type == MessageType::kSystem; });
}

void LocalRoom::keep_pending(const MessageRef& message) {
    pending_.emplace(message->seq.value, message);
    // announced_ remembers that there are more.
    if (pending_.size() > hub_.options_.recent_messages) pending_.erase(std::prev(pending_.end()));
}

void LocalRoom::take_pending() {
    if (!known_) return;
    std::vector<MessageRef> next;
    auto it = pending_.begin();
    for (; it != pending_.end(); ++it) {
        const RoomSeq expected = next.empty() ? head_.head.next() : next.back()->seq.next();
        if (it->second->seq > expected) break;
        if (it->second->seq == expected) next.push_back(it->second);
    }
    pending_.erase(pending_.begin(), it);
    if (!next.empty()) publish(next);
    watch_gap();
}

void LocalRoom::heard_of(RoomSeq head) {
    announced_ = std::max(announced_, head);
    watch_gap();
}

void LocalRoom::watch_gap() {
    if (head_.head >= announced_) {
        gap_timer_.cancel();
    } else if (!filling_ && !gap_timer_.armed() && !retry_timer_.armed()) {
        hub_.loop_.arm(gap_timer_, hub_.options_.gap_wait);
    }
}

void LocalRoom::fill_gap() {
    if (filling_ || head_.head >= announced_) return;
    filling_ = true;
    gap_timer_.cancel();
    const auto& options = hub_.options_;
    ask([room = id_, after = head_.head, limit = options.page_messages, max = hub_.page_bytes_,
         &log = hub_.log_] { return log.read(room, after, limit, max); },
        [this](Result<log::Page> page) { on_fill(std::move(page)); });
}

void LocalRoom::on_fill(Result<log::Page> page) {
    filling_ = false;
    if (!page) {
        retry_in(hub_.options_.retry_wait);
        return;
    }
    const RoomSeq before = head_.head;
    announced_ = std::max(announced_, page->at.head);
    if (page->at.first > head_.head.next()) skip_to(page->at.first);
    for (const MessageRef& message : page->messages) {
        if (message->seq > head_.head) keep_pending(message);
    }
    take_pending();
    if (head_.head >= announced_) return;
    if (head_.head > before) {
        fill_gap();
    } else {
        // Announced but not read back: ask again a little later rather than at once.
        gap_timer_.cancel();
        retry_in(hub_.options_.retry_wait);
    }
}

void LocalRoom::skip_to(RoomSeq first) {
    // What was missing is no longer kept: each subscriber finds that in the log and is told.
    head_.first = first;
    head_.head = first.prev();
    recent_.clear();
    for (const Ref& who : everyone()) {
        Subscription* const reader = find(who);
        if (reader == nullptr || reader->events_ || reader->state_ != Subscription::State::kLive) continue;
        take_from_live(*reader);
        reader->state_ = Subscription::State::kReading;
        catch_up(*reader);
    }
}

// --- rights that end ----------------------------------------------------------------------------------------------

void LocalRoom::apply(const RoomChange& change) {
    if (change.kind == RoomChange::Kind::kMadePrivate) {
        recheck(change, hub_.may_read_);
        return;
    }
    if (change.kind != RoomChange::Kind::kLeft && change.kind != RoomChange::Kind::kKicked) return;
    for (const Ref& who : everyone()) {
        Subscription* const reader = find(who);
        if (reader != nullptr && reader->sink_.member() == change.member) end(*reader);
    }
}

void LocalRoom::end(Subscription& subscription) {
    Sink& sink = subscription.sink_;
    const std::string key = subscription.group_->key;
    subscription.stop();
    sink.on_ended(key, id_);
}

void LocalRoom::recheck(const RoomChange& change, const MayRead& may_read) {
    for (const Ref& who : everyone()) {
        Subscription* const found = find(who);
        if (found == nullptr) continue;
        Subscription& subscription = *found;
        if (!change.member.empty() && subscription.sink_.member() != change.member) continue;
        ++subscription.checks_;
        if (!subscription.events_ && subscription.state_ == Subscription::State::kLive) {
            take_from_live(subscription);
            subscription.state_ = Subscription::State::kReading;
        }
        check(who, may_read);
    }
}

void LocalRoom::check(const Ref& who, const MayRead& may_read) {
    may_read(id_, find(who)->sink_.member(),
             [this, who, may_read, alive = std::weak_ptr<bool>{alive_}](Result<bool> allowed) {
                 if (alive.expired()) return;
                 Subscription* const reader = find(who);
                 if (reader == nullptr) return;
                 if (!allowed) {
                     unchecked_.push_back({who, may_read});
                     retry_in(hub_.options_.retry_wait);
                     return;
                 }
                 --reader->checks_;
                 if (*allowed) {
                     catch_up(*reader);
                 } else {
                     end(*reader);
                 }
             });
}

}  // namespace parley::room
