#include "log/committer.h"

#include <algorithm>

#include "log/held_message.h"

namespace parley::log {

Committer::Committer(const Clock& clock, std::size_t cached_heads, bool sync)
    : clock_(clock), sync_(sync), heads_(cached_heads) {}

void Committer::forget(const Store& store) {
    heads_.clear();
    next_room_ = store.next_room();
}

rocksdb::Status Committer::commit(Store& store, Work& work, Outcome& outcome) {
    now_ = clock_.wall();
    batch_.Clear();
    touched_.clear();
    seen_.clear();
    heads_.begin();

    look_up(store, work);
    find_repeats(store, work);
    for (std::size_t i = 0; i < work.appends.size(); ++i) {
        if (lookups_[i].error)
            outcome.answers.emplace_back(fail(*lookups_[i].error));
        else
            outcome.answers.emplace_back(sequence(store, work.appends[i], lookups_[i], outcome));
    }
    for (const Trim& slice : work.trims) trim(store, slice);
    for (auto& [room, entry] : touched_) {
        batch_.Put(store.heads(), room->str(), records::encode_head(entry->head));
        entry->touched = false;
    }
    if (batch_.Count() == 0) return rocksdb::Status::OK();

    rocksdb::WriteOptions options;
    options.sync = sync_;
    return store.db().Write(options, &batch_);
}

Result<HeadCache::Entry*> Committer::resolve(Store& store, const RoomId& room) {
    if (auto* entry = heads_.find(room)) return entry;
    HeadCache::Entry entry;
    rocksdb::PinnableSlice record;
    const auto status = store.db().Get({}, store.heads(), room.str(), &record);
    if (status.ok()) {
        auto head = records::decode_head(record.ToStringView());
        if (!head) return fail(head.error());
        entry.head = *head;
        entry.made = true;
    } else if (status.IsNotFound()) {
        entry.head.epoch = store.epoch();
    } else {
        return fail(Code::kStoreUnavailable, "reading the head of room " + room.str() + ": " + status.ToString());
    }
    return &heads_.add(room, entry);
}

void Committer::look_up(Store& store, const Work& work) {
    lookups_.resize(work.appends.size());
    for (std::size_t i = 0; i < work.appends.size(); ++i) {
        const AppendRequest& request = work.appends[i].request;
        Lookup& lookup = lookups_[i];
        lookup.keys.clear();
        lookup.error.reset();
        auto entry = resolve(store, request.room);
        if (!entry) {
            lookup.error = entry.error();
            continue;
        }
        lookup.room = *entry;
        if (!lookup.room->made && lookup.room->head.room.value == 0) {
            lookup.room->head.room = next_room_;
            ++next_room_.value;
        }
        for (const Draft& draft : request.drafts)
            lookup.keys.push_back(records::dedup_key(lookup.room->head.room, draft.sender, draft.id));
    }
}

/// One MultiGet for the whole commit.
void Committer::find_repeats(Store& store, const Work& work) {
    std::vector<rocksdb::Slice> keys;
    std::vector<std::pair<std::size_t, std::size_t>> owner;  // request, draft
    for (std::size_t i = 0; i < work.appends.size(); ++i) {
        const Lookup& lookup = lookups_[i];
        if (lookup.error || !lookup.room->made) continue;
        for (std::size_t k = 0; k < lookup.keys.size(); ++k) {
            if (work.appends[i].request.drafts[k].fresh_id) continue;
            keys.emplace_back(lookup.keys[k]);
            owner.emplace_back(i, k);
        }
    }
    if (keys.empty()) return;
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    store.db().MultiGet({}, store.dedup(), keys.size(), keys.data(), values.data(), statuses.data());
    for (std::size_t n = 0; n < keys.size(); ++n) {
        if (statuses[n].IsNotFound()) continue;
        Lookup& lookup = lookups_[owner[n].first];
        if (!statuses[n].ok()) {
            lookup.error = Error{Code::kStoreUnavailable, "looking for a repeat: " + statuses[n].ToString()};
            continue;
        }
        auto seen = records::decode_seen(values[n].ToStringView());
        if (seen)
            seen_.emplace(lookup.keys[owner[n].second], *seen);
        else
            lookup.error = seen.error();
    }
}

std::vector<Appended> Committer::sequence(Store& store, Pending& pending, Lookup& lookup, Outcome& outcome) {
    std::vector<Appended> answer;
    answer.reserve(pending.request.drafts.size());
    HeadCache::Entry& room = *lookup.room;
    records::Head& head = room.head;
    for (std::size_t k = 0; k < pending.request.drafts.size(); ++k) {
        Draft& draft = pending.request.drafts[k];
        const std::string& key = lookup.keys[k];
        if (!draft.fresh_id) {
            if (const auto found = seen_.find(key); found != seen_.end()) {
                ++outcome.repeats;
                answer.push_back({found->second.seq, found->second.created_at, true});
                continue;
            }
        }
        if (!room.made) {
            batch_.Put(store.messages(), records::message_key(head.room, {0}),
                       records::encode_name(pending.request.room));
            room.made = true;
        }
        const RoomSeq seq = head.head.next();
        const WallTime created_at = std::max(now_, head.last_created);
        std::string& record = pending.records[k];
        records::stamp(record, created_at);
        batch_.Put(store.messages(), records::message_key(head.room, seq), record);
        batch_.Put(store.dedup(), key, records::encode_seen({seq, created_at}));
        head.head = seq;
        head.last_created = created_at;
        head.bytes += record.size();
        touch(pending.request.room, room);
        if (!draft.fresh_id) seen_.emplace(key, records::Seen{seq, created_at});

        outcome.messages.push_back(hold(std::move(draft), pending.request.room, seq, created_at));
        answer.push_back({seq, created_at, false});
    }
    return answer;
}

void Committer::trim(Store& store, const Trim& slice) {
    const auto entry = resolve(store, slice.room);
    if (!entry || !(*entry)->made || (*entry)->head.first != slice.from) return;
    records::Head& head = (*entry)->head;
    for (RoomSeq seq = slice.from; seq <= slice.to; seq = seq.next())
        batch_.Delete(store.messages(), records::message_key(head.room, seq));
    for (const std::string& key : slice.dedup_keys) batch_.Delete(store.dedup(), key);
    head.first = slice.to.next();
    head.bytes -= std::min(head.bytes, slice.bytes);
    touch(slice.room, **entry);
}

void Committer::touch(const RoomId& room, HeadCache::Entry& entry) {
    if (entry.touched) return;
    entry.touched = true;
    touched_.emplace_back(&room, &entry);
}

}  // namespace parley::log
