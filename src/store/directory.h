#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::store {

struct Account {
    MemberId id;
    std::string name;  ///< what is typed at login; unique after Unicode case folding of ASCII letters
    std::string nickname;
    std::string password_hash;  ///< Argon2id encoded form; never leaves the server
    WallTime created_at;
    WallTime revoked_before;  ///< tokens with `iat` before this are revoked (password change, kick)
};

/// Values are written to disk: append only.
enum class RoomKind : std::uint8_t { kChat = 1, kPair = 2, kAi = 3, kTopic = 4 };
enum class Visibility : std::uint8_t { kPublic = 1, kPrivate = 2 };

struct RoomInfo {
    RoomId id;
    std::string name;
    RoomKind kind = RoomKind::kChat;
    Visibility visibility = Visibility::kPublic;
    MemberId owner;  ///< empty for auto-created rooms
    WallTime created_at;
};

enum class Standing : std::uint8_t { kInvited = 1, kMember = 2, kOwner = 3, kKicked = 4 };

struct Membership {
    MemberId member;
    std::string nickname;
    Standing standing = Standing::kMember;
    RoomSeq since;  ///< seq of the log record that gave this standing; a lower one never overwrites
};

/// A change of membership or visibility on its way into the room's log and from there into the directory.
struct ChangeInFlight {
    MessageId id;  ///< of the SYSTEM message that says it
    RoomId room;
    RoomSeq above;         ///< the room's head before: the message, if stored, has a higher seq
    std::string nickname;  ///< of the member concerned; the message does not carry it
};

/// A token that is in use: all by which it may be revoked.
struct HeldToken {
    std::string sha256_hex;
    MemberId member;
    WallTime issued_at;  ///< the epoch where it does not say
};

/// Accounts, rooms, membership, read marks and revocations: what must survive a restart and is not a message.
///
/// Thread: any. Every call may touch the disk: never on a loop.
/// Order:  a returned success is durable (fsync). Calls on one key are serialised.
/// Fails:  kStoreUnavailable for storage trouble; the codes named per call.
class Directory {
public:
    virtual ~Directory() = default;

    // Accounts.
    /// kNameTaken when the name or the id is there already.
    virtual Result<> add_account(const Account& account) = 0;
    virtual Result<std::optional<Account>> account(const MemberId& id) = 0;
    virtual Result<std::optional<Account>> account_by_name(const std::string& name) = 0;
    /// kMemberNotFound.
    virtual Result<> set_password_hash(const MemberId& id, const std::string& hash) = 0;
    /// For members with or without an account (tokens of another login service). Never falls.
    virtual Result<> set_revoked_before(const MemberId& id, WallTime time) = 0;
    virtual Result<std::optional<WallTime>> revoked_before(const MemberId& id) = 0;

    // Revoked tokens, by sha256 hex of the token; forgotten after `expires`.
    virtual Result<> revoke_token(const std::string& sha256_hex, WallTime expires) = 0;
    virtual Result<bool> is_token_revoked(const std::string& sha256_hex) = 0;
    /// The sha256 of those that are revoked, by themselves or with their member. Many cost little more than one where
    /// that matters: at a database that servers share.
    virtual Result<std::vector<std::string>> revoked_among(const std::vector<HeldToken>& tokens);
    /// Drops what expired before `now`. Returns how many.
    virtual Result<std::size_t> forget_expired(WallTime now) = 0;

    // Rooms.
    /// kRoomExists when there is one. Owner (if any) becomes a member with Standing::kOwner.
    virtual Result<> add_room(const RoomInfo& room, const std::string& owner_nickname) = 0;
    virtual Result<std::optional<RoomInfo>> room(const RoomId& id) = 0;
    /// Applied by seq as membership is. kRoomNotFound.
    virtual Result<> set_visibility(const RoomId& id, Visibility visibility, RoomSeq at) = 0;
    /// Public chat rooms in id order after `after` (empty: from the first).
    virtual Result<std::vector<RoomInfo>> public_rooms(const RoomId& after, std::size_t limit) = 0;
    /// Rooms in which the member is invited, a member or the owner, in id order.
    virtual Result<std::vector<RoomInfo>> rooms_of(const MemberId& member, std::size_t limit) = 0;

    // Membership: a projection of the room's log, applied by seq (a change at or below `since` is ignored).
    virtual Result<> put_membership(const RoomId& room, const Membership& membership) = 0;
    virtual Result<> drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) = 0;
    virtual Result<std::optional<Membership>> membership(const RoomId& room, const MemberId& member) = 0;
    /// Who is invited, a member or the owner, in member id order; those behind `after`.
    virtual Result<std::vector<Membership>> members(const RoomId& room, const MemberId& after, std::size_t limit) = 0;

    // Changes in flight: noted before the log is asked to store one, done when the directory has it. What is left at a
    // start was cut off in between (chat/projection.h). Each stands for itself, any number in one room.
    virtual Result<> note_change(const ChangeInFlight& change) = 0;
    /// Without such a note: no effect.
    virtual Result<> change_done(const RoomId& room, const MessageId& id) = 0;
    virtual Result<std::vector<ChangeInFlight>> changes_in_flight() = 0;

    // Read marks: never fall.
    /// Stores max(old, seq) and returns it.
    virtual Result<RoomSeq> raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) = 0;
    virtual Result<RoomSeq> read_mark(const RoomId& room, const MemberId& member) = 0;
};

}  // namespace parley::store
