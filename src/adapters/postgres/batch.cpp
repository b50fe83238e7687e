#include "adapters/postgres/batch.h"

#include <algorithm>

#include "adapters/postgres/message_size.h"
#include "adapters/postgres/row_format.h"
#include "log/held_message.h"

namespace parley::postgres {
namespace {

using log::Pending;

constexpr Statement kBegin{"begin", "BEGIN"};
constexpr Statement kCommit{"commit", "COMMIT"};
constexpr Statement kMakeRooms{"make_rooms", R"(
    INSERT INTO heads (room) SELECT room FROM unnest($1) AS asked (room)
    WHERE NOT EXISTS (SELECT FROM heads h WHERE h.room = asked.room) ORDER BY room COLLATE "C"
    ON CONFLICT DO NOTHING)"};
constexpr Statement kLockRooms{"lock_rooms", R"(
    SELECT v, room, no, head, last_created FROM heads WHERE room = ANY ($1) ORDER BY room FOR UPDATE)"};
// A statement of its own, after the locks: it sees what their holders before committed. `+ 0` keeps the planner, which
// may take the table for small, from reading whole rooms by (room, seq).
constexpr Statement kFindRepeats{"find_repeats", R"(
    SELECT asked.i, m.seq, m.created_at
    FROM unnest($1, $2, $3) WITH ORDINALITY AS asked (room, sender, id, i)
    JOIN heads h ON h.room = asked.room
    JOIN messages m ON m.id = asked.id AND m.sender = asked.sender AND m.room + 0 = h.no)"};
constexpr Statement kInsert{"insert_messages", R"(
    INSERT INTO messages (v, type, size, room, seq, created_at, sender, id, nickname, content, extra)
    SELECT 1, * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))"};
constexpr Statement kSetHeads{"set_heads", R"(
    UPDATE heads h SET head = new.head, last_created = new.last_created, bytes = h.bytes + new.bytes
    FROM unnest($1, $2, $3, $4) AS new (room, head, last_created, bytes) WHERE h.room = new.room)"};

}  // namespace

Batch::Batch(std::span<Pending> appends) : appends_(appends) {
    for (const Pending& pending : appends_) {
        rooms_[pending.request.room.str()];
        for (const Draft& draft : pending.request.drafts)
            entries_.push_back({&pending.request.room, &draft, State::kUnknown, false, {}, {}});
    }
}

std::string Batch::key(const Entry& entry) const {
    // None of the ids holds a space.
    return entry.room->str() + ' ' + entry.draft->sender.str() + ' ' + entry.draft->id.str();
}

Result<> Batch::store(Connection& connection, WallTime now, Deadline deadline) {
    if (auto looked = lock_and_look(connection, deadline); !looked) return looked;
    sequence(now);
    tried_ = true;
    return insert_and_commit(connection, deadline);
}

Result<> Batch::lock_and_look(Connection& connection, Deadline deadline) {
    const auto room_name = [](const auto& room) { return room.first; };
    std::vector<const Entry*> asked;
    for (const Entry& entry : entries_) {
        // Nobody else can have an id that this server has just made, but a try before may have stored it.
        if (tried_ || !entry.draft->fresh_id) asked.push_back(&entry);
    }
    Params repeats;
    repeats.texts(asked, [](const Entry* entry) -> const std::string& { return entry->room->str(); });
    repeats.texts(asked, [](const Entry* entry) -> const std::string& { return entry->draft->sender.str(); });
    repeats.texts(asked, [](const Entry* entry) -> const std::string& { return entry->draft->id.str(); });
    std::vector<Call> calls{
        {kBegin}, {kMakeRooms, Params{}.texts(rooms_, room_name)}, {kLockRooms, Params{}.texts(rooms_, room_name)}};
    if (!asked.empty()) calls.push_back({kFindRepeats, std::move(repeats)});
    const auto answers = connection.run_all(calls, deadline);
    if (!answers) return fail(answers.error());

    const Rows& heads = (*answers)[2];
    if (auto known = check_format(heads, 0); !known) return known;
    for (std::size_t row = 0; row < heads.size(); ++row) {
        rooms_.find(heads.text(row, 1))->second = {heads.number(row, 2), {heads.number(row, 3)}, heads.time(row, 4)};
    }
    seen_.clear();
    if (asked.empty()) return {};
    const Rows& found = (*answers)[3];
    for (std::size_t row = 0; row < found.size(); ++row) {
        const Entry& entry = *asked[found.number(row, 0) - 1];
        seen_.emplace(key(entry), Seen{{found.number(row, 1)}, found.time(row, 2)});
    }
    return {};
}

void Batch::sequence(WallTime now) {
    for (Entry& entry : entries_) {
        if (!entry.draft->fresh_id || tried_) {
            if (const auto found = seen_.find(key(entry)); found != seen_.end()) {
                const Seen& seen = found->second;
                // Under the seq that the try before gave it: that try was committed.
                const bool ours =
                    entry.state == State::kNew && entry.seq == seen.seq && entry.created_at == seen.created_at;
                entry.add = false;
                if (!ours) entry.state = State::kRepeat;
                entry.seq = seen.seq;
                entry.created_at = seen.created_at;
                continue;
            }
        }
        Room& room = rooms_.find(entry.room->str())->second;
        room.head = room.head.next();
        room.last_created = std::max(now, room.last_created);
        room.added_bytes += size_of(*entry.draft);
        room.changed = true;
        entry.state = State::kNew;
        entry.add = true;
        entry.seq = room.head;
        entry.created_at = room.last_created;
        if (!entry.draft->fresh_id) seen_.emplace(key(entry), Seen{entry.seq, entry.created_at});
    }
}

Result<> Batch::insert_and_commit(Connection& connection, Deadline deadline) {
    std::vector<const Entry*> added;
    for (const Entry& entry : entries_) {
        if (entry.add) added.push_back(&entry);
    }
    std::vector<std::pair<std::string_view, const Room*>> changed;
    for (const auto& [name, room] : rooms_) {
        if (room.changed) changed.emplace_back(name, &room);
    }
    const auto time = [](WallTime at) { return at.time_since_epoch().count(); };
    Params rows;
    rows.numbers(added, [](const Entry* e) { return static_cast<int>(e->draft->type); });
    rows.numbers(added, [](const Entry* e) { return size_of(*e->draft); });
    rows.numbers(added, [this](const Entry* e) { return rooms_.find(e->room->str())->second.no; });
    rows.numbers(added, [](const Entry* e) { return e->seq.value; });
    rows.numbers(added, [&](const Entry* e) { return time(e->created_at); });
    rows.texts(added, [](const Entry* e) -> const std::string& { return e->draft->sender.str(); });
    rows.texts(added, [](const Entry* e) -> const std::string& { return e->draft->id.str(); });
    rows.texts(added, [](const Entry* e) -> const std::string& { return e->draft->nickname; });
    rows.texts(added, [](const Entry* e) -> const std::string& { return e->draft->content; });
    rows.texts(added, [](const Entry* e) -> const std::string& { return e->draft->extra; });
    Params heads;
    heads.texts(changed, [](const auto& room) { return room.first; });
    heads.numbers(changed, [](const auto& room) { return room.second->head.value; });
    heads.numbers(changed, [&](const auto& room) { return time(room.second->last_created); });
    heads.numbers(changed, [](const auto& room) { return room.second->added_bytes; });

    std::vector<Call> calls;
    if (!added.empty()) {
        calls.push_back({kInsert, std::move(rows)});
        calls.push_back({kSetHeads, std::move(heads)});
    }
    calls.push_back({kCommit});
    const auto committed = connection.run_all(calls, deadline);
    if (!committed) return fail(committed.error());
    return {};
}

log::BatchTry::Outcome Batch::take() {
    log::BatchTry::Outcome out;
    auto entry = entries_.begin();
    for (Pending& pending : appends_) {
        auto& answer = out.answers.emplace_back();
        for (Draft& draft : pending.request.drafts) {
            const bool repeat = entry->state == State::kRepeat;
            answer.push_back({entry->seq, entry->created_at, repeat});
            if (repeat) {
                ++out.repeats;
            } else {
                out.messages.push_back(
                    log::hold(std::move(draft), pending.request.room, entry->seq, entry->created_at));
            }
            ++entry;
        }
    }
    return out;
}

}  // namespace parley::postgres
