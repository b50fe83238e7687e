#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_codec.h"
#include "room/presence.h"

namespace parley::room {

/// Keeps the servers of a fleet of one mind about who is present: each says what changes on it, and every 2 s how many
/// changes it has told; whoever counted less asks for the whole. What is heard goes into Presence.
///
/// Thread: one loop's, except what Presence calls back with its lock held. Borrows Presence.
/// Order:  a server's changes are numbered; they are taken in that order or not at all.
/// Limit:  a server says its whole once a kBeat at most, however many ask. One that says nothing for kSilent is taken
///         for dead, and its members are absent `grace` after it was heard last: each server finds that out for its own
///         readers, so nobody has to be elected. While this server itself is cut off from the others nobody is taken
///         for dead.
/// Fails:  words that make no sense are dropped; the next count shows what is missing.
class PresenceSync {
public:
    static constexpr milliseconds kBeat{2'000};
    static constexpr milliseconds kSilent{6'000};

    /// Takes a word to the other servers; any order of words of one server is kept, some may be lost.
    using Say = std::function<void(std::string word)>;
    /// For this server's readers: the member came or went.
    using Tell = std::function<void(const RoomId&, const MemberId&, const std::string& nickname, bool present)>;

    /// `self` is new at each start of a server. Call before the first JOIN.
    PresenceSync(Presence& presence, Presence::ServerId self, milliseconds grace, Say say, Tell tell);

    void on_word(std::string_view word, SteadyTime now);
    /// Words may have been lost.
    void on_missed();
    /// About once a second. `hears_others`: the way to the other servers stands.
    void on_second(SteadyTime now, bool hears_others);

private:
    using Place = std::pair<RoomId, MemberId>;
    using Names = std::map<Place, std::string>;  ///< nickname by place
    struct Server {
        SteadyTime heard{};
        std::uint64_t taken = 0;  ///< of its changes
        bool is_known = false;    ///< `taken` and `present` say something
        Names present;
        Names arriving{};               ///< the whole it is telling just now
        std::uint64_t arriving_at = 0;  ///< its count of changes then
        std::uint32_t parts_taken = 0;
    };

    void say_change(const Presence::Change& change);
    void say_whole() const;
    void answer_asks(SteadyTime now);
    void ask(Presence::ServerId server);
    void take_change(Presence::ServerId id, Server& server, ByteReader& in);
    void take_part(Presence::ServerId id, Server& server, ByteReader& in);
    void replace(Presence::ServerId id, Server& server, Names whole);
    void come(Presence::ServerId id, const Place& place, const std::string& nickname);
    void go(Presence::ServerId id, const Place& place, const std::string& nickname);

    Presence& presence_;
    const Presence::ServerId self_;
    const milliseconds grace_;
    const Say say_;
    const Tell tell_;
    std::uint64_t changes_ = 0;  ///< told so far; guarded by Presence's lock
    std::map<Presence::ServerId, Server> servers_;
    SteadyTime next_beat_{};
    SteadyTime next_ask_{};
    bool owes_whole_ = false;
    SteadyTime next_whole_{};
    SteadyTime hears_since_ = SteadyTime::max();
};

}  // namespace parley::room
