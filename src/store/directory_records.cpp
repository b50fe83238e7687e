#include "store/directory_records.h"

#include "store/record.h"

namespace parley::store::records {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kGone = 0;  // in the place of a Standing

std::string key(char table, std::string_view last) { return std::string{table}.append(last); }

std::string prefix(char table, std::string_view first) {
    std::string out{table};
    out += static_cast<char>(first.size());
    return out.append(first);
}

/// The whole record must be read and be of our version.
template <class T>
std::optional<T> whole(const RecordReader& reader, T value) {
    if (!reader.ok() || reader.version() != kVersion) return std::nullopt;
    return value;
}

}  // namespace

std::string account_key(const MemberId& id) { return key('a', id.str()); }
std::string name_key(std::string_view name) {
    std::string out = key('n', name);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}
std::string revoked_before_key(const MemberId& id) { return key('v', id.str()); }
std::string token_key(std::string_view sha256_hex) { return key('t', sha256_hex); }
std::string room_key(const RoomId& id) { return key('r', id.str()); }
std::string public_room_key(const RoomId& id) { return key('p', id.str()); }
std::string membership_prefix(const RoomId& room) { return prefix('m', room.str()); }
std::string membership_key(const RoomId& room, const MemberId& member) {
    return membership_prefix(room) + member.str();
}
std::string room_of_member_prefix(const MemberId& member) { return prefix('j', member.str()); }
std::string room_of_member_key(const MemberId& member, const RoomId& room) {
    return room_of_member_prefix(member) + room.str();
}
std::string read_mark_key(const RoomId& room, const MemberId& member) { return prefix('k', room.str()) + member.str(); }
std::string changes_prefix() { return key('c', ""); }
std::string change_key(const RoomId& room, const MessageId& id) { return prefix('c', room.str()) + id.str(); }
std::string ledger_key(std::string_view key) { return std::string{'l'}.append(key); }

std::string encode(const Account& account) {
    return RecordWriter{kVersion}
        .text(account.id.str())
        .text(account.name)
        .text(account.nickname)
        .text(account.password_hash)
        .time(account.created_at)
        .take();
}

std::optional<Account> decode_account(std::string_view bytes) {
    RecordReader in{bytes};
    Account account;
    account.id = MemberId::trusted(in.text());
    account.name = in.text();
    account.nickname = in.text();
    account.password_hash = in.text();
    account.created_at = in.time();
    return whole(in, std::move(account));
}

std::string encode(const StoredRoom& room) {
    return RecordWriter{kVersion}
        .text(room.info.id.str())
        .text(room.info.name)
        .value(room.info.kind)
        .value(room.info.visibility)
        .text(room.info.owner.str())
        .time(room.info.created_at)
        .u64(room.visibility_at.value)
        .take();
}

std::optional<StoredRoom> decode_room(std::string_view bytes) {
    RecordReader in{bytes};
    StoredRoom room;
    room.info.id = RoomId::trusted(in.text());
    room.info.name = in.text();
    room.info.kind = in.value<RoomKind>();
    room.info.visibility = in.value<Visibility>();
    room.info.owner = MemberId::trusted(in.text());
    room.info.created_at = in.time();
    room.visibility_at = {in.u64()};
    return whole(in, std::move(room));
}

std::string encode(const StoredStanding& standing) {
    RecordWriter out{kVersion};
    out.text(standing.membership.member.str()).text(standing.membership.nickname);
    if (standing.gone) {
        out.u8(kGone);
    } else {
        out.value(standing.membership.standing);
    }
    return out.u64(standing.membership.since.value).take();
}

std::optional<StoredStanding> decode_standing(std::string_view bytes) {
    RecordReader in{bytes};
    StoredStanding standing;
    standing.membership.member = MemberId::trusted(in.text());
    standing.membership.nickname = in.text();
    const std::uint8_t value = in.u8();
    standing.gone = value == kGone;
    if (!standing.gone) standing.membership.standing = static_cast<Standing>(value);
    standing.membership.since = {in.u64()};
    return whole(in, std::move(standing));
}

std::string encode(const ChangeInFlight& change) {
    return RecordWriter{kVersion}
        .text(change.id.str())
        .text(change.room.str())
        .u64(change.above.value)
        .text(change.nickname)
        .take();
}

std::optional<ChangeInFlight> decode_change(std::string_view bytes) {
    RecordReader in{bytes};
    ChangeInFlight change;
    change.id = MessageId::trusted(in.text());
    change.room = RoomId::trusted(in.text());
    change.above = {in.u64()};
    change.nickname = in.text();
    return whole(in, std::move(change));
}

std::string encode(WallTime time) { return RecordWriter{kVersion}.time(time).take(); }
std::optional<WallTime> decode_time(std::string_view bytes) {
    RecordReader in{bytes};
    const WallTime time = in.time();
    return whole(in, time);
}

std::string encode(RoomSeq seq) { return RecordWriter{kVersion}.u64(seq.value).take(); }
std::optional<RoomSeq> decode_seq(std::string_view bytes) {
    RecordReader in{bytes};
    const RoomSeq seq{in.u64()};
    return whole(in, seq);
}

std::string encode(const MemberId& id) { return RecordWriter{kVersion}.text(id.str()).take(); }
std::optional<MemberId> decode_member(std::string_view bytes) {
    RecordReader in{bytes};
    MemberId id = MemberId::trusted(in.text());
    return whole(in, std::move(id));
}

}  // namespace parley::store::records
