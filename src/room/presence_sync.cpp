#include "room/presence_sync.h"

#include <algorithm>
#include <utility>

#include "base/byte_codec.h"

namespace parley::room {
namespace {

/// What a word says, after the id of the server whose word it is.
enum class Word : std::uint8_t {
    kChange = 1,  ///< number of the change, present or not, room, member, nickname
    kBeat = 2,    ///< how many changes were told
    kAsk = 3,     ///< the server that is asked for its whole; 0: all
    kPart = 4,    ///< of the whole: changes told before it, which part of how many, room, member, nickname, ...
};
constexpr std::size_t kEntriesOfPart = 2'000;

ByteWriter begin(Presence::ServerId self, Word word) {
    ByteWriter out;
    out.number(self);
    out.byte(static_cast<std::uint8_t>(word));
    return out;
}

}  // namespace

PresenceSync::PresenceSync(Presence& presence, Presence::ServerId self, milliseconds grace, Say say, Tell tell)
    : presence_(presence), self_(self), grace_(grace), say_(std::move(say)), tell_(std::move(tell)) {
    presence_.on_here([this](const Presence::Change& change) { say_change(change); });
}

// --- what this server says
// --------------------------------------------------------------------------------------------

void PresenceSync::say_change(const Presence::Change& change) {
    auto out = begin(self_, Word::kChange);
    out.number(++changes_);
    out.byte(change.present ? 1 : 0);
    out.text(change.room.str());
    out.text(change.member.str());
    out.text(change.nickname);
    say_(out.take());
}

void PresenceSync::say_whole() const {
    presence_.here([this](const std::vector<Presence::Change>& all) {
        const std::size_t parts = std::max<std::size_t>(1, (all.size() + kEntriesOfPart - 1) / kEntriesOfPart);
        for (std::size_t part = 0; part < parts; ++part) {
            auto out = begin(self_, Word::kPart);
            out.number(changes_);
            out.number(part, 4);
            out.number(parts, 4);
            const std::size_t end = std::min(all.size(), (part + 1) * kEntriesOfPart);
            for (std::size_t i = part * kEntriesOfPart; i < end; ++i) {
                out.text(all[i].room.str());
                out.text(all[i].member.str());
                out.text(all[i].nickname);
            }
            say_(out.take());
        }
    });
}

/// All hear it: after a restart of the bus, when every server asks, each says it once or twice.
void PresenceSync::answer_asks(SteadyTime now) {
    if (!owes_whole_ || now < next_whole_) return;
    owes_whole_ = false;
    next_whole_ = now + kBeat;
    say_whole();
}

void PresenceSync::ask(Presence::ServerId server) {
    auto out = begin(self_, Word::kAsk);
    out.number(server);
    say_(out.take());
}

void PresenceSync::on_missed() { ask(0); }

void PresenceSync::on_second(SteadyTime now, bool hears_others) {
    answer_asks(now);
    if (now >= next_beat_) {
        next_beat_ = now + kBeat;
        auto out = begin(self_, Word::kBeat);
        presence_.here([&](const auto&) { out.number(changes_); });
        say_(out.take());
    }
    if (!hears_others) {
        hears_since_ = SteadyTime::max();
        return;
    }
    hears_since_ = std::min(hears_since_, now);
    if (now - hears_since_ < kSilent) return;
    for (auto next = servers_.begin(); next != servers_.end();) {
        auto& [id, server] = *next;
        const bool is_dead = now - server.heard >= std::max(kSilent, grace_);
        if (is_dead) replace(id, server, {});
        next = is_dead ? servers_.erase(next) : std::next(next);
    }
}

// --- what the others say
// ----------------------------------------------------------------------------------------------

void PresenceSync::on_word(std::string_view word, SteadyTime now) {
    ByteReader in{word};
    const Presence::ServerId id = in.number();
    const auto kind = static_cast<Word>(in.byte());
    if (!in.ok() || id == self_) return;
    Server& server = servers_[id];
    server.heard = now;
    switch (kind) {
        case Word::kChange: take_change(id, server, in); break;
        case Word::kPart: take_part(id, server, in); break;
        case Word::kAsk: {
            const Presence::ServerId asked = in.number();
            owes_whole_ = owes_whole_ || asked == 0 || asked == self_;
            answer_asks(now);
            break;
        }
        case Word::kBeat: {
            const std::uint64_t told = in.number();
            if (server.is_known && server.taken == told) break;
            if (now < next_ask_) break;
            next_ask_ = now + kBeat;
            ask(id);
            break;
        }
    }
}

void PresenceSync::take_change(Presence::ServerId id, Server& server, ByteReader& in) {
    const std::uint64_t number = in.number();
    const bool present = in.byte() != 0;
    const Place place{RoomId::trusted(in.text()), MemberId::trusted(in.text())};
    const std::string nickname = in.text();
    // The first words of a new server, or the one that follows.
    if (!in.ok() || number != server.taken + 1 || (!server.is_known && number != 1)) return;
    server.is_known = true;
    server.taken = number;
    if (present) {
        server.present[place] = nickname;
        come(id, place, nickname);
    } else {
        server.present.erase(place);
        go(id, place, nickname);
    }
}

void PresenceSync::take_part(Presence::ServerId id, Server& server, ByteReader& in) {
    const std::uint64_t changes = in.number();
    const auto part = static_cast<std::uint32_t>(in.number(4));
    const auto parts = static_cast<std::uint32_t>(in.number(4));
    if (part == 0) {
        server.arriving.clear();
        server.arriving_at = changes;
        server.parts_taken = 0;
    }
    if (!in.ok() || part != server.parts_taken || changes != server.arriving_at) return;
    while (!in.is_at_end() && in.ok()) {
        Place place{RoomId::trusted(in.text()), MemberId::trusted(in.text())};
        server.arriving[std::move(place)] = in.text();
    }
    if (!in.ok() || ++server.parts_taken != parts) return;
    server.is_known = true;
    server.taken = changes;
    replace(id, server, std::exchange(server.arriving, {}));
}

void PresenceSync::replace(Presence::ServerId id, Server& server, Names whole) {
    const Names before = std::exchange(server.present, std::move(whole));
    for (const auto& [place, nickname] : before) {
        if (!server.present.contains(place)) go(id, place, nickname);
    }
    for (const auto& [place, nickname] : server.present) {
        if (!before.contains(place)) come(id, place, nickname);
    }
}

void PresenceSync::come(Presence::ServerId id, const Place& place, const std::string& nickname) {
    if (presence_.join_at(id, place.first, place.second, nickname)) tell_(place.first, place.second, nickname, true);
}

void PresenceSync::go(Presence::ServerId id, const Place& place, const std::string& nickname) {
    if (presence_.leave_at(id, place.first, place.second)) tell_(place.first, place.second, nickname, false);
}

}  // namespace parley::room
