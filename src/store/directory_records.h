#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "store/directory.h"

/// How the embedded directory lays out its keys and values. Keys: a letter for the table, then ids; an id that is
/// followed by another has its length before it, so that no id can run into the next.
namespace parley::store::records {

inline constexpr char kFormatKey[] = "!format";
inline constexpr char kFormat[] = "\x01";

std::string account_key(const MemberId& id);
std::string name_key(std::string_view name);  ///< ASCII letters folded to lower case
std::string revoked_before_key(const MemberId& id);
std::string token_key(std::string_view sha256_hex);
std::string room_key(const RoomId& id);
std::string public_room_key(const RoomId& id);
std::string membership_prefix(const RoomId& room);
std::string membership_key(const RoomId& room, const MemberId& member);
std::string room_of_member_prefix(const MemberId& member);
std::string room_of_member_key(const MemberId& member, const RoomId& room);
std::string read_mark_key(const RoomId& room, const MemberId& member);
std::string changes_prefix();
std::string change_key(const RoomId& room, const MessageId& id);
std::string ledger_key(std::string_view key);

struct StoredRoom {
    RoomInfo info;
    RoomSeq visibility_at;
};
struct StoredStanding {
    Membership membership;
    bool gone = false;  ///< dropped; kept so that an older change cannot bring it back
};

std::string encode(const Account& account);
std::string encode(const StoredRoom& room);
std::string encode(const StoredStanding& standing);
std::string encode(const ChangeInFlight& change);
std::string encode(WallTime time);
std::string encode(RoomSeq seq);
std::string encode(const MemberId& id);

// nullopt: damaged, or of a later version.
std::optional<Account> decode_account(std::string_view bytes);
std::optional<StoredRoom> decode_room(std::string_view bytes);
std::optional<StoredStanding> decode_standing(std::string_view bytes);
std::optional<ChangeInFlight> decode_change(std::string_view bytes);
std::optional<WallTime> decode_time(std::string_view bytes);
std::optional<RoomSeq> decode_seq(std::string_view bytes);
std::optional<MemberId> decode_member(std::string_view bytes);

}  // namespace parley::store::records
