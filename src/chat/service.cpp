#include "chat/service.h"

#include <utility>

#include "base/uuid.h"
#include "chat/projection.h"
#include "wire/json.h"

namespace parley::chat {
namespace {

std::string event_json(std::string_view kind, const RoomId& room, const MemberId& member, std::string_view nickname) {
    std::string out = R"({"event":")";
    out += kind;
    out += R"(","roomId":)";
    append_json_string(out, room.str());
    out += R"(,"memberId":)";
    append_json_string(out, member.str());
    if (!nickname.empty()) {
        out += R"(,"nickname":)";
        append_json_string(out, nickname);
    }
    return out;
}

/// How far behind a JOIN or LEAVE that is sent again another one is looked for.
constexpr std::size_t kRepeatPages = 10;
constexpr std::size_t kRepeatPage = 1000;

/// Whether somebody may now read more or less than before.
bool changes_rights(const RoomChange& change) {
    using Kind = RoomChange::Kind;
    return change.kind == Kind::kLeft || change.kind == Kind::kKicked || change.kind == Kind::kMadePrivate ||
           change.kind == Kind::kJoined;
}

}  // namespace

Service::Service(Parts parts, Options options)
    : parts_(parts), options_(options), book_(parts.directory, parts.asker) {}

void Service::view(const RoomId& room, const MemberId& member, Then<RoomView> then) {
    if (const RoomView* known = book_.find(room, member)) {
        then(*known);
    } else {
        book_.learn(room, member, std::move(then));
    }
}

Result<> Service::check_content(std::string_view content) const {
    if (content.size() > options_.content_limit) return fail(Code::kMessageTooLarge, "content is too large");
    if (wire::has_nul(content)) return fail(Code::kInvalidPayload, "content may not hold U+0000");
    if (!wire::has_text(content))
        return fail(Code::kInvalidPayload, "content must have a character that is not white space");
    return {};
}

Draft Service::draft(const Speaker& speaker, Words words) const {
    Draft draft;
    draft.fresh_id = words.id.empty();
    draft.id = draft.fresh_id ? MessageId::trusted(make_uuid7(parts_.loop.clock().wall())) : std::move(words.id);
    draft.sender = speaker.member;
    draft.nickname = speaker.nickname;
    draft.type = words.type;
    draft.content = std::move(words.content);
    draft.extra = std::move(words.extra);
    return draft;
}

void Service::append(const RoomId& room, std::vector<Draft> drafts, Then<std::vector<log::Appended>> then) {
    if (gathered_.empty()) {
        parts_.loop.next_turn([this, alive = std::weak_ptr<bool>{alive_}] {
            if (!alive.expired()) parts_.log.append_all(std::exchange(gathered_, {}));
        });
    }
    auto done = [this, &loop = parts_.loop, alive = std::weak_ptr<bool>{alive_},
                 then = std::move(then)](Result<std::vector<log::Appended>> result) mutable {
        loop.post([this, alive = std::move(alive), then = std::move(then), result = std::move(result)]() mutable {
            if (alive.expired()) return;
            if (result) settle_refused();
            then(std::move(result));
        });
    };
    gathered_.push_back({{room, std::move(drafts)}, std::move(done)});
}

void Service::create_unknown(const Speaker& speaker, const RoomId& room, Made then) {
    if (!options_.auto_create) {
        then(fail(Code::kRoomNotFound, "there is no such room"), {});
        return;
    }
    if (const auto wait = parts_.rates.room_creation(speaker.member.str(), parts_.loop.now())) {
        then(fail(Code::kRateLimited, "too many new rooms"), *wait);
        return;
    }
    store::RoomInfo info;
    info.id = room;
    info.name = room.str();
    info.created_at = parts_.loop.clock().wall();
    create_room(speaker, std::move(info), [then = std::move(then)](Result<store::RoomInfo> made) mutable {
        // Somebody else was faster: it is there, which is all that was asked.
        if (made || made.error().code == Code::kRoomExists) {
            then({}, {});
        } else {
            then(fail(made.error()), {});
        }
    });
}

void Service::create_room(const Speaker& speaker, store::RoomInfo room, Then<store::RoomInfo> then) {
    parts_.asker.ask([&directory = parts_.directory, room,
                      nickname = speaker.nickname] { return directory.add_room(room, nickname); },
                     [this, room, then = std::move(then)](Result<> made) mutable {
                         book_.forget(room.id);
                         parts_.bus.notify({bus::Notice::Kind::kRoomChanged, room.id.str(), {}, {}});
                         if (made) {
                             then(std::move(room));
                         } else {
                             then(fail(made.error()));
                         }
                     });
}

// --- presence -----------------------------------------------------------------------------------------------------

void Service::tell_presence(const RoomId& room, const MemberId& member, std::string_view nickname, bool present) {
    std::string json = event_json("presence", room, member, nickname);
    json += present ? R"(,"present":true,"count":)" : R"(,"present":false,"count":)";
    json += std::to_string(parts_.presence.present(room).size());
    json += '}';
    parts_.bus.event_here({room, std::move(json)});
}

void Service::join(const Speaker& speaker, Words words, Then<Stay> then) {
    const RoomId room = words.room;
    if (!parts_.presence.join(room, speaker.member, speaker.nickname, speaker.session)) {
        then(Stay{{}, true});
        return;
    }
    words.type = MessageType::kJoin;
    if (!wire::has_text(words.content)) words.content = speaker.nickname + "님이 입장했습니다.";
    append(room, {draft(speaker, std::move(words))},
           [this, room, speaker, then = std::move(then)](Result<std::vector<log::Appended>> result) mutable {
               if (!result) {
                   parts_.presence.leave(room, speaker.member, speaker.session);
                   then(fail(result.error()));
                   return;
               }
               auto settled = [this, room, speaker, stored = result->front(),
                               then = std::move(then)](Result<bool> counts) mutable {
                   if (counts && *counts) {
                       tell_presence(room, speaker.member, speaker.nickname, true);
                       then(Stay{stored, true});
                       return;
                   }
                   parts_.presence.leave(room, speaker.member, speaker.session);
                   then(counts ? Result<Stay>{Stay{stored, false}} : fail(counts.error()));
               };
               if (result->front().repeated) {
                   settle_repeat(room, speaker.member, result->front().seq, std::move(settled));
               } else {
                   settled(true);
               }
           });
}

void Service::leave(const Speaker& speaker, Words words, Then<Stay> then) {
    const RoomId room = words.room;
    if (!parts_.presence.leave(room, speaker.member, speaker.session)) {
        then(Stay{});
        return;
    }
    words.type = MessageType::kLeave;
    if (!wire::has_text(words.content)) words.content = speaker.nickname + "님이 퇴장했습니다.";
    append(room, {draft(speaker, std::move(words))},
           [this, room, speaker, then = std::move(then)](Result<std::vector<log::Appended>> result) mutable {
               auto settled = [this, room, speaker, then = std::move(then)](log::Appended stored,
                                                                            Result<bool> counts) mutable {
                   if (counts && *counts) {
                       tell_presence(room, speaker.member, speaker.nickname, false);
                       then(Stay{stored, false});
                       return;
                   }
                   // Still here, as after a lost connection: whether the session lives on is not known by now.
                   parts_.presence.join(room, speaker.member, speaker.nickname, speaker.session);
                   disconnect(speaker, room);
                   then(counts ? Result<Stay>{Stay{stored, true}} : fail(counts.error()));
               };
               if (!result) {
                   settled({}, fail(result.error()));
               } else if (result->front().repeated) {
                   settle_repeat(room, speaker.member, result->front().seq,
                                 [stored = result->front(), settled = std::move(settled)](Result<bool> counts) mutable {
                                     settled(stored, std::move(counts));
                                 });
               } else {
                   settled(result->front(), true);
               }
           });
}

void Service::settle_repeat(const RoomId& room, const MemberId& member, RoomSeq seq, Then<bool> then) {
    parts_.asker.ask(
        [&log = parts_.log, room, member, after = seq]() mutable -> Result<bool> {
            for (std::size_t pages = 0; pages < kRepeatPages; ++pages) {
                const auto page = log.read(room, after, kRepeatPage, 4_MiB);
                if (!page) return fail(page.error());
                if (page->messages.empty()) return true;
                for (const MessageRef& message : page->messages) {
                    const bool moves = message->type == MessageType::kJoin || message->type == MessageType::kLeave;
                    if (moves && message->sender == member) return false;
                }
                after = page->messages.back()->seq;
            }
            return false;
        },
        std::move(then));
}

void Service::disconnect(const Speaker& speaker, const RoomId& room) {
    parts_.presence.disconnect(room, speaker.member, speaker.session, parts_.loop.now());
}

void Service::expire(const Speaker& speaker, const RoomId& room) {
    if (parts_.presence.leave(room, speaker.member, speaker.session)) {
        tell_presence(room, speaker.member, speaker.nickname, false);
    }
}

void Service::sweep_presence() {
    for (const auto& absent : parts_.presence.sweep(parts_.loop.now())) {
        tell_presence(absent.room, absent.member, absent.nickname, false);
    }
}

void Service::typing(const Speaker& speaker, const RoomId& room) {
    parts_.bus.event({room, event_json("typing", room, speaker.member, speaker.nickname) + '}'});
}

void Service::mark_read(const Speaker& speaker, const RoomId& room, RoomSeq seq, Then<RoomSeq> then) {
    parts_.asker.ask(
        [&log = parts_.log, &directory = parts_.directory, room, member = speaker.member, seq]() -> Result<RoomSeq> {
            const auto head = log.head(room);
            if (!head) return fail(head.error());
            return directory.raise_read_mark(room, member, std::min(seq, head->head));
        },
        [this, room, speaker, then = std::move(then)](Result<RoomSeq> mark) mutable {
            if (mark) {
                parts_.bus.event({room, event_json("read", room, speaker.member, speaker.nickname) + R"(,"seq":)" +
                                            std::to_string(mark->value) + '}'});
            }
            then(std::move(mark));
        });
}

// --- membership ---------------------------------------------------------------------------------------------------

void Service::change(const Speaker& speaker, const RoomId& room, RoomChange change, std::string nickname,
                     std::string text, Then<RoomSeq> then) {
    Words words;
    words.type = MessageType::kSystem;
    words.content = std::move(text);
    words.extra = to_extra(change);
    Draft draft = this->draft(speaker, std::move(words));
    store::ChangeInFlight note{draft.id, room, {}, std::move(nickname)};
    parts_.asker.ask(
        [&log = parts_.log, &directory = parts_.directory, note]() mutable -> Result<> {
            const auto head = log.head(note.room);
            if (!head) return fail(head.error());
            note.above = head->head;
            return directory.note_change(note);
        },
        [this, draft = std::move(draft), note, change = std::move(change),
         then = std::move(then)](Result<> noted) mutable {
            if (!noted) {
                then(fail(noted.error()));
                return;
            }
            std::vector<Draft> drafts;
            drafts.push_back(std::move(draft));
            append(note.room, std::move(drafts),
                   [this, note, change = std::move(change),
                    then = std::move(then)](Result<std::vector<log::Appended>> result) mutable {
                       if (result) {
                           apply(std::move(note), std::move(change), result->front().seq, std::move(then));
                       } else {
                           refused_.push_back(std::move(note));
                           then(fail(result.error()));
                       }
                   });
        });
}

void Service::settle_refused() {
    if (refused_.empty()) return;
    const auto notes = std::exchange(refused_, {});
    parts_.asker.ask(
        [&log = parts_.log, &directory = parts_.directory, notes] { return settle_changes(log, directory, notes); },
        [this, notes](Result<std::vector<SettledChange>> settled) {
            if (!settled) {
                refused_.insert(refused_.end(), notes.begin(), notes.end());
                return;
            }
            for (const auto& [room, change] : *settled) tell_changed(room, change);
        });
}

void Service::tell_changed(const RoomId& room, const RoomChange& change) {
    book_.forget(room);
    parts_.bus.notify(
        {bus::Notice::Kind::kRoomChanged, room.str(), changes_rights(change) ? to_extra(change) : std::string{}, {}});
}

void Service::apply(store::ChangeInFlight note, RoomChange change, RoomSeq seq, Then<RoomSeq> then) {
    parts_.asker.ask(
        [&directory = parts_.directory, note, change, seq]() -> Result<> {
            auto applied = apply_change(directory, note.room, change, note.nickname, seq);
            // A note that stays is applied once more at the next start, to no effect.
            if (applied) static_cast<void>(directory.change_done(note.room, note.id));
            return applied;
        },
        [this, room = note.room, seq, change, then = std::move(then)](Result<> applied) mutable {
            tell_changed(room, change);
            if (applied) {
                then(seq);
            } else {
                then(fail(applied.error()));
            }
        });
}

}  // namespace parley::chat
