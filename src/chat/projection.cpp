#include "chat/projection.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <vector>

namespace parley::chat {
namespace {

constexpr std::size_t kPageMessages = 1000;
constexpr Bytes kPageBytes{4_MiB};

using Notes = std::unordered_map<RoomId, std::vector<store::ChangeInFlight>>;

/// The ids that Service gives are UUIDs of version 7, which begin with the time. Any other id is an old one.
WallTime noted_at(const MessageId& id) {
    const std::string digits = id.str().substr(0, 8) + (id.str().size() > 13 ? id.str().substr(9, 4) : std::string{});
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms, 16);
    const bool is_time = error == std::errc{} && end == digits.data() + digits.size() && digits.size() == 12;
    return is_time ? WallTime{milliseconds{ms}} : WallTime{};
}

/// One pass over what the room stored since the oldest of the notes.
Result<> settle_room(log::RoomLog& log, store::Directory& directory, const RoomId& room,
                     const std::vector<store::ChangeInFlight>& notes, WallTime others_since,
                     std::vector<SettledChange>& applied) {
    std::unordered_map<std::string, const std::string*> nicknames;  // by message id
    RoomSeq after = notes.front().above;
    for (const auto& note : notes) {
        nicknames.emplace(note.id.str(), &note.nickname);
        after = std::min(after, note.above);
    }
    while (!nicknames.empty()) {
        const auto page = log.read(room, after, kPageMessages, kPageBytes);
        if (!page) return fail(page.error());
        if (page->messages.empty()) break;
        for (const MessageRef& message : page->messages) {
            if (message->type != MessageType::kSystem) continue;
            const auto noted = nicknames.find(message->id.str());
            const auto change = parse_room_change(message->extra);
            if (noted == nicknames.end() || !change) continue;
            const auto done = apply_change(directory, room, *change, *noted->second, message->seq);
            if (!done) return done;
            nicknames.erase(noted);
            applied.push_back({room, *change});
        }
        after = page->messages.back()->seq;
    }
    for (const auto& note : notes) {
        if (nicknames.contains(note.id.str()) && noted_at(note.id) > others_since) continue;
        if (auto dropped = directory.change_done(room, note.id); !dropped) return dropped;
    }
    return {};
}

Result<std::vector<SettledChange>> settle(log::RoomLog& log, store::Directory& directory,
                                          std::vector<store::ChangeInFlight> changes, WallTime others_since) {
    Notes rooms;
    for (auto& change : changes) rooms[change.room].push_back(std::move(change));
    std::vector<SettledChange> applied;
    for (const auto& [room, notes] : rooms) {
        if (auto settled = settle_room(log, directory, room, notes, others_since, applied); !settled)
            return fail(settled.error());
    }
    return applied;
}

}  // namespace

Result<> apply_change(store::Directory& directory, const RoomId& room, const RoomChange& change,
                      const std::string& nickname, RoomSeq seq) {
    using Kind = RoomChange::Kind;
    using store::Standing;
    using store::Visibility;
    switch (change.kind) {
        case Kind::kInvited: return directory.put_membership(room, {change.member, nickname, Standing::kInvited, seq});
        case Kind::kJoined: return directory.put_membership(room, {change.member, nickname, Standing::kMember, seq});
        case Kind::kLeft: return directory.drop_membership(room, change.member, seq);
        case Kind::kKicked: return directory.put_membership(room, {change.member, nickname, Standing::kKicked, seq});
        case Kind::kMadePrivate: return directory.set_visibility(room, Visibility::kPrivate, seq);
        case Kind::kMadePublic: return directory.set_visibility(room, Visibility::kPublic, seq);
    }
    return {};
}

Result<std::vector<SettledChange>> settle_changes(log::RoomLog& log, store::Directory& directory,
                                                  std::vector<store::ChangeInFlight> changes) {
    return settle(log, directory, std::move(changes), WallTime::max());
}

Result<std::vector<SettledChange>> settle_changes(log::RoomLog& log, store::Directory& directory,
                                                  WallTime others_since) {
    auto in_flight = directory.changes_in_flight();
    if (!in_flight) return fail(in_flight.error());
    return settle(log, directory, std::move(*in_flight), others_since);
}

}  // namespace parley::chat
