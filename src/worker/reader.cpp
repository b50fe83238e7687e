#include "worker/reader.h"

#include <algorithm>
#include <charconv>
#include <exception>

#include "base/logger.h"

namespace parley::worker {
namespace {

constexpr std::size_t kPage = 100;
constexpr Bytes kPageBytes{1_MiB};
constexpr std::size_t kRoomsListed = 1'000;
constexpr std::size_t kRoomsAtOnce = 100;
constexpr std::size_t kMostQueued = 2'000;  ///< rooms are not listed while so many wait
constexpr std::size_t kMostFresh = 8 << 20;
constexpr std::size_t kMostRooms = 50'000;
constexpr milliseconds kIdle{15 * 60'000};
constexpr milliseconds kForgetEvery{10'000};
constexpr milliseconds kLongest{1'000};
/// How far servers' clocks may differ, with the time in which a batch is stored.
constexpr milliseconds kMargin{10 * 60'000};

std::uint64_t number_at(std::string_view text) {
    std::uint64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

}  // namespace

Reader::Reader(Parts parts, Options options, Role& role)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      role_(role),
      dead_(parts_.ledger, role.name(), parts_.clock),
      messages_(
          parts_.metrics.counter("parley_worker_messages_total", "Messages a role has done", {{"role", role.name()}})),
      retries_(parts_.metrics.counter("parley_worker_retries_total", "Messages a role could not do and tries again",
                                      {{"role", role.name()}})),
      dead_letters_(parts_.metrics.counter("parley_worker_dead_letters_total", "Messages a role has given up",
                                           {{"role", role.name()}})) {
    if (!options_.server.empty()) lease_.emplace(parts_.ledger, role.name() + "/lease", options_.server, parts_.clock);
}

std::string Reader::rooms_of(const std::string& role) { return role + "/room/"; }

std::string_view Reader::saved_in(std::string_view value) {
    const auto line = value.find('\n');
    return line == std::string_view::npos ? std::string_view{} : value.substr(line + 1);
}

std::string Reader::key_of(const RoomId& room) const { return rooms_of(role_.name()) + room.str(); }

void Reader::begin_work() {
    if (at_work_.exchange(true)) return;
    next_list_ = {};
    since_.reset();
}

/// Another server goes on where this one has saved.
void Reader::end_work() {
    if (!at_work_.exchange(false)) return;
    rooms_.clear();
    queue_.clear();
    fresh_ = 0;
    listing_.reset();
    listed_.reset();
}

void Reader::offer(std::span<const MessageRef> messages) {
    if (!at_work_) return;  // found by listing, should this server begin
    for (const MessageRef& message : messages) {
        if (message->room.is_server_own()) continue;
        Room& room = rooms_[message->room];
        const RoomSeq expected = room.fresh.empty() ? room.done.next() : room.fresh.back()->seq.next();
        const bool in_order = room.fresh.empty() ? message->seq >= expected : message->seq == expected;
        if (in_order && fresh_ < kMostFresh) {
            room.fresh.push_back(message);
            fresh_ += size_of(*message);
        }
        notice(message->room, message->seq);
    }
}

void Reader::notice(const RoomId& id, RoomSeq head) {
    Room& room = rooms_[id];
    room.head = std::max(room.head, head);
    if (room.work == nullptr || room.done < room.head) enqueue(id, room);
}

bool Reader::has_saved(const RoomId& room, RoomSeq head) const {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) return true;  // nothing was to be done for long
    const Room& known = found->second;
    return known.saved >= head || (!known.queued && !known.dirty);
}

void Reader::enqueue(const RoomId& id, Room& room) {
    if (std::exchange(room.queued, true)) return;
    queue_.push_back(id);
}

milliseconds Reader::step() {
    const auto now = parts_.clock.steady();
    if (lease_ && !lease_->hold()) {
        end_work();
        store_waits_since_ = lease_->is_answered() ? kNot : std::min(store_waits_since_, now);
        waits_since_ = store_waits_since_;
        return kLongest;
    }
    begin_work();
    if (now < not_before_) return std::chrono::ceil<milliseconds>(not_before_ - now);
    list_some();
    work_on_some();
    if (now >= next_save_) {
        next_save_ = now + options_.save_every;
        save();
    }
    settle_list();
    if (now >= next_forget_) {
        next_forget_ = now + kForgetEvery;
        forget_idle();
    }
    note_waiting(now);
    rooms_behind_ = queue_.size();
    if (listing_ && queue_.size() < kMostQueued) return milliseconds{0};
    auto next = std::min(next_save_, now + kLongest);
    if (parts_.list_rooms) next = std::min(next, next_list_);
    for (const RoomId& id : queue_) next = std::min(next, rooms_[id].not_before);
    next = std::max(next, not_before_);
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(next - parts_.clock.steady()));
}

void Reader::list_some() {
    const auto now = parts_.clock.steady();
    if (!parts_.list_rooms) return;
    if (!listing_) {
        if (now < next_list_) return;
        if (!since_) {
            const auto row = parts_.ledger.row(role_.name() + "/listed");
            if (!row) {
                wait_for_store(row.error());
                return;
            }
            since_ = *row ? WallTime{milliseconds{number_at((*row)->value)}} : WallTime{};
            since_revision_ = *row ? (*row)->revision : 0;
        }
        listing_ = Listing{{}, parts_.clock.wall(), now};
    }
    if (queue_.size() >= kMostQueued) return;
    const auto listed = parts_.list_rooms(listing_->after, *since_, kRoomsListed);
    if (!listed) {
        wait_for_store(listed.error());
        return;
    }
    for (const log::ListedRoom& room : *listed) notice(room.room, room.head);
    if (listed->size() == kRoomsListed) {
        listing_->after = listed->back().room;
        return;
    }
    // Where the list is long it is made more rarely.
    const auto took = parts_.clock.steady() - listing_->began_at;
    next_list_ = now + std::max<SteadyTime::duration>(options_.list_every(), 10 * took);
    listed_ = listing_->began;
    listing_.reset();
}

/// What a list found is done and saved: older rooms need not be listed again.
void Reader::settle_list() {
    if (!listed_ || !queue_.empty() || !save()) return;
    const WallTime since = *std::exchange(listed_, std::nullopt) - kMargin;
    const auto stored = parts_.ledger.put(
        {{role_.name() + "/listed", since_revision_, std::to_string(since.time_since_epoch().count())}});
    if (!stored) {
        wait_for_store(stored.error());
    } else if (stored->front()) {
        since_ = since;
        ++since_revision_;
    } else {
        since_.reset();
    }
}

void Reader::work_on_some() {
    const std::size_t count = std::min(queue_.size(), std::max(kRoomsAtOnce, queue_.size() / 4));
    for (std::size_t i = 0; i < count; ++i) {
        const auto now = parts_.clock.steady();
        if (now < not_before_ || held_back_) return;
        const RoomId id = std::move(queue_.front());
        queue_.pop_front();
        Room& room = rooms_[id];
        room.queued = false;
        if (now < room.not_before || !work_on(id, room) || room.done < room.head) enqueue(id, room);
    }
}

bool Reader::work_on(const RoomId& id, Room& room) {
    room.used = parts_.clock.steady();
    if (room.work == nullptr && !load(id, room)) return false;
    if (room.done >= room.head) return true;
    auto messages = next_messages(id, room);
    if (!messages) return wait_for_store(messages.error());
    for (const MessageRef& message : *messages) {
        if (held_back_) break;
        if (!take(room, *message)) return false;
    }
    drop_done(room);
    return true;
}

bool Reader::load(const RoomId& id, Room& room) {
    const auto row = parts_.ledger.row(key_of(id));
    if (!row) return wait_for_store(row.error());
    std::string_view saved;
    if (*row) {
        room.revision = (*row)->revision;
        room.done = room.saved = {number_at((*row)->value)};
        saved = saved_in((*row)->value);
    }
    room.work = role_.open(id, saved);
    return true;
}

Result<std::vector<MessageRef>> Reader::next_messages(const RoomId& id, Room& room) {
    drop_done(room);
    std::vector<MessageRef> out;
    if (!room.fresh.empty() && room.fresh.front()->seq == room.done.next()) {
        // They stay until they are done: one of them may have to wait.
        const auto count = static_cast<std::ptrdiff_t>(std::min(kPage, room.fresh.size()));
        out.assign(room.fresh.begin(), room.fresh.begin() + count);
        return out;
    }
    auto page = parts_.log.read(id, room.done, kPage, kPageBytes);
    if (!page) return fail(page.error());
    if (page->at.first > room.done.next()) {
        logger::warn("worker", "messages were removed before a role had done them",
                     {{"role", role_.name()},
                      {"room", id.str()},
                      {"from", room.done.next().value},
                      {"to", page->at.first.prev().value}});
        room.done = page->at.first.prev();
        room.dirty = true;
    }
    if (room.done > page->at.head) {  // the log was put back to a time before
        room.done = page->at.head;
        room.dirty = true;
    }
    if (page->messages.empty()) {
        room.head = room.done;
        room.waits_since = kNot;
    }
    return std::move(page->messages);
}

bool Reader::take(Room& room, const Message& message) {
    if (message.seq <= room.done) return true;
    Result<> taken;
    const auto began = parts_.clock.steady();
    takes_since_ = began;
    try {
        taken = room.work->take(message);
    } catch (const std::exception& problem) {
        taken = fail(Code::kInternal, problem.what());
    }
    takes_since_ = kNot;
    const auto later = [this] { return parts_.clock.steady() + options_.between_tries; };
    if (!taken && taken.error().code == Code::kStoreUnavailable) {
        room.waits_since = std::min(room.waits_since, began);
        trouble(taken.error().message);
        room.not_before = later();
        return false;
    }
    if (!taken && ++room.tries < options_.tries) {
        retries_.add();
        room.not_before = later();
        return false;
    }
    if (!taken) {
        Result<> put = dead_.put(message, taken.error().message);
        if (put && options_.on_dead_letter) put = options_.on_dead_letter(message, taken.error().message);
        if (!put) {
            --room.tries;
            return wait_for_store(put.error());
        }
        dead_letters_.add();
        logger::error("worker", "a message was given up",
                      {{"role", role_.name()},
                       {"room", message.room.str()},
                       {"seq", message.seq.value},
                       {"why", taken.error().message}});
    }
    room.waits_since = kNot;
    messages_.add();
    room.tries = 0;
    room.done = message.seq;
    room.dirty = true;
    return true;
}

void Reader::drop_done(Room& room) {
    while (!room.fresh.empty() && room.fresh.front()->seq <= room.done) {
        fresh_ -= size_of(*room.fresh.front());
        room.fresh.pop_front();
    }
}

void Reader::drop_fresh(Room& room) {
    for (const MessageRef& message : room.fresh) fresh_ -= size_of(*message);
    room.fresh.clear();
}

bool Reader::save() {
    std::vector<RoomId> ids;
    std::vector<store::LedgerRow> rows;
    for (auto& [id, room] : rooms_) {
        if (!room.dirty) continue;
        ids.push_back(id);
        rows.push_back({key_of(id), room.revision, std::to_string(room.done.value) + '\n' + room.work->save()});
    }
    if (rows.empty()) return true;
    const auto stored = parts_.ledger.put(rows);
    if (!stored) return wait_for_store(stored.error());
    bool all = true;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        Room& room = rooms_[ids[i]];
        room.dirty = false;
        if ((*stored)[i]) {
            ++room.revision;
            room.saved = room.done;
            continue;
        }
        // Another server was here, or this one, and was not told: what the ledger has counts.
        all = false;
        drop_fresh(room);
        room.done = room.saved = {};
        room.work.reset();
        enqueue(ids[i], room);
    }
    return all;
}

void Reader::forget_idle() {
    const auto now = parts_.clock.steady();
    const bool full = rooms_.size() > kMostRooms;
    for (auto at = rooms_.begin(); at != rooms_.end();) {
        Room& room = at->second;
        if (room.queued || room.dirty || (!full && now - room.used <= kIdle)) {
            ++at;
        } else {
            drop_fresh(room);
            at = rooms_.erase(at);
        }
    }
}

void Reader::close() {
    if (!at_work_) return;
    // A store that is away would only be waited for.
    if (trouble_.empty()) save();
    if (trouble_.empty() && lease_) lease_->give_back();
    end_work();
}

/// What failed is tried again in the first step that may: one without a failure ends the waiting for stores.
void Reader::note_waiting(SteadyTime step_began) {
    if (not_before_ <= step_began) store_waits_since_ = kNot;
    SteadyTime since = store_waits_since_;
    for (const RoomId& id : queue_) since = std::min(since, rooms_[id].waits_since);
    waits_since_ = since;
    if (since == kNot) trouble({});
}

bool Reader::is_stuck() const {
    const SteadyTime since = std::min(waits_since_.load(), takes_since_.load());
    return parts_.clock.steady() - since > options_.stuck_after;
}

void Reader::trouble(const std::string& why) {
    if (why == trouble_) return;
    trouble_ = why;
    if (why.empty()) {
        logger::info("worker", "a role goes on", {{"role", role_.name()}});
    } else {
        logger::error("worker", "a role waits", {{"role", role_.name()}, {"why", why}});
    }
}

bool Reader::wait_for_store(const Error& error) {
    trouble(error.message);
    const auto now = parts_.clock.steady();
    store_waits_since_ = std::min(store_waits_since_, now);
    not_before_ = now + options_.between_tries;
    next_save_ = std::min(next_save_, not_before_);  // it may be what failed
    return false;
}

}  // namespace parley::worker
