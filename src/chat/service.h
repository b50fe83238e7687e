#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "auth/rate_limit.h"
#include "base/room_change.h"
#include "bus/bus.h"
#include "chat/room_book.h"
#include "log/room_log.h"
#include "room/presence.h"
#include "rt/asker.h"

namespace parley::chat {

/// Who acts: from the session's token, never from a body.
struct Speaker {
    MemberId member;
    std::string nickname;
    bool guest = false;
    room::Presence::SessionId session = 0;
};

/// What a client asks to be said, as it came.
struct Words {
    RoomId room;
    MessageType type = MessageType::kTalk;
    std::string content;
    MessageId id;  ///< empty: the server makes one
    std::string extra;
};

/// What operations on rooms mean: who may, what is stored, who is told.
///
/// Thread: core-local; every `then` comes on this loop, some at once.
/// Order:  append() keeps the order of its calls per room.
/// Fails:  with the code the client sees. kStoreUnavailable: nothing was acknowledged and a retry with the same id is
/// safe.
class Service {
public:
    struct Options {
        bool auto_create = true;
        std::size_t content_limit = 128 * 1024;
    };
    struct Parts {
        rt::Loop& loop;
        log::RoomLog& log;
        store::Directory& directory;
        bus::Bus& bus;
        room::Presence& presence;
        auth::RateLimits& rates;
        rt::Asker& asker;
    };
    template <class T>
    using Then = UniqueFunction<void(Result<T>)>;

    Service(Parts parts, Options options);

    [[nodiscard]] RoomBook& book() noexcept { return book_; }
    [[nodiscard]] const Options& options() const noexcept { return options_; }
    /// Answers at once where the book knows.
    void view(const RoomId& room, const MemberId& member, Then<RoomView> then);

    /// At least one character that is not white space, no U+0000.
    [[nodiscard]] Result<> check_content(std::string_view content) const;
    [[nodiscard]] Draft draft(const Speaker& speaker, Words words) const;
    /// Stores; `then` once durable. The room must exist. What one turn of the loop brings goes to the log together.
    void append(const RoomId& room, std::vector<Draft> drafts, Then<std::vector<log::Appended>> then);
    /// Makes `room` a public chat room where auto_create allows; kRoomNotFound where it does not.
    /// `wait`: with kRateLimited, until the next room may be made.
    using Made = UniqueFunction<void(Result<> made, milliseconds wait)>;
    void create_unknown(const Speaker& speaker, const RoomId& room, Made then);

    /// What a JOIN or LEAVE came to. `stored` is empty when nothing was. `stays`: the session is in the room now; after
    /// a LEAVE (of before, sent again) for the grace only, until it says so itself.
    struct Stay {
        std::optional<log::Appended> stored;
        bool stays = false;
    };
    /// JOIN: stored only when the member was not present. One of before, sent again, changes nothing where the member
    /// has left since.
    void join(const Speaker& speaker, Words words, Then<Stay> then);
    /// LEAVE: stored only when it was the member's last stay. Refused by the log, it can be tried again within the
    /// grace. One of before, sent again, changes nothing where the member has come back since.
    void leave(const Speaker& speaker, Words words, Then<Stay> then);
    /// The session's connection is gone.
    void disconnect(const Speaker& speaker, const RoomId& room);
    /// The session's stay in the room ran out: nothing is stored.
    void expire(const Speaker& speaker, const RoomId& room);
    /// The readers of this server are told that a member came or went; the other servers tell theirs.
    void tell_presence(const RoomId& room, const MemberId& member, std::string_view nickname, bool present);
    /// Whose grace is over: run on one core, about once a second.
    void sweep_presence();
    void typing(const Speaker& speaker, const RoomId& room);
    /// Read mark = max(old, min(seq, head)).
    void mark_read(const Speaker& speaker, const RoomId& room, RoomSeq seq, Then<RoomSeq> then);

    // Rooms and membership: records of the room's log, then the directory.
    void create_room(const Speaker& speaker, store::RoomInfo room, Then<store::RoomInfo> then);
    /// Appends the change as a SYSTEM record and applies it; noted as in flight before, so that settle_changes() ends
    /// what a crash cut off. The caller has judged that it is allowed.
    void change(const Speaker& speaker, const RoomId& room, RoomChange change, std::string nickname, std::string text,
                Then<RoomSeq> then);

    /// Changes that the log refused may be stored all the same. It knows before it takes anything more, so after each
    /// append that it took they are looked up: called there, and by who has seen one.
    void settle_refused();

private:
    /// Whether the JOIN or LEAVE at `seq`, sent again, is still the member's last: else it is history.
    void settle_repeat(const RoomId& room, const MemberId& member, RoomSeq seq, Then<bool> then);
    void tell_changed(const RoomId& room, const RoomChange& change);
    void apply(store::ChangeInFlight note, RoomChange change, RoomSeq seq, Then<RoomSeq> then);

    Parts parts_;
    const Options options_;
    RoomBook book_;
    std::vector<store::ChangeInFlight> refused_;
    std::vector<log::Append> gathered_;  ///< handed to the log after this turn's events
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace parley::chat
