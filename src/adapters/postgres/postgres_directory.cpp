#include "adapters/postgres/postgres_directory.h"

#include "adapters/postgres/row_format.h"

namespace parley::postgres {
namespace {

using namespace store;

constexpr Statement kAddAccount{"add_account", R"(
    INSERT INTO accounts (id, name, folded_name, nickname, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING RETURNING 1)"};
constexpr Statement kIsMyAccount{"is_my_account", R"(
    SELECT 1 FROM accounts WHERE (id, name, folded_name, nickname, password_hash, created_at) = ($1, $2, $3, $4, $5, $6))"};
constexpr Statement kAccount{"account", R"(
    SELECT a.v, id, name, nickname, password_hash, created_at, coalesce(before, 0)
    FROM accounts a LEFT JOIN revoked_members ON member = id WHERE id = $1)"};
constexpr Statement kAccountByName{"account_by_name", R"(
    SELECT a.v, id, name, nickname, password_hash, created_at, coalesce(before, 0)
    FROM accounts a LEFT JOIN revoked_members ON member = id WHERE folded_name = $1)"};
constexpr Statement kSetPassword{"set_password", "UPDATE accounts SET password_hash = $2 WHERE id = $1"};
constexpr Statement kRevokeMember{"revoke_member", R"(
    INSERT INTO revoked_members (member, before) VALUES ($1, $2)
    ON CONFLICT (member) DO UPDATE SET before = excluded.before WHERE revoked_members.before < excluded.before)"};
constexpr Statement kRevokedBefore{"revoked_before", "SELECT v, before FROM revoked_members WHERE member = $1"};
constexpr Statement kRevokeToken{"revoke_token", R"(
    INSERT INTO revoked_tokens (sha256, expires) VALUES ($1, $2)
    ON CONFLICT (sha256) DO UPDATE SET expires = excluded.expires WHERE revoked_tokens.expires < excluded.expires)"};
constexpr Statement kIsTokenRevoked{"is_token_revoked", "SELECT 1 FROM revoked_tokens WHERE sha256 = $1"};
constexpr Statement kRevokedAmong{"revoked_among", R"(
    SELECT r.sha256 FROM unnest($1) AS held (sha256) JOIN revoked_tokens r ON r.sha256 = held.sha256 UNION
    SELECT held.sha256 FROM unnest($1, $2, $3) AS held (sha256, member, issued)
    JOIN revoked_members r ON r.member = held.member AND r.before > held.issued)"};
constexpr Statement kForgetExpired{"forget_expired", "DELETE FROM revoked_tokens WHERE expires < $1"};

constexpr Statement kAddRoom{"add_room", R"(
    WITH made AS (
        INSERT INTO rooms (id, name, kind, visibility, owner, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING RETURNING id, owner), owned AS (
        INSERT INTO memberships (room, member, nickname, standing, since, gone)
        SELECT id, owner, $7, 3, 0, false FROM made WHERE owner <> ''
        ON CONFLICT (room, member) DO UPDATE SET nickname = excluded.nickname, standing = 3, since = 0, gone = false)
    SELECT 1 FROM made)"};
constexpr Statement kIsMyRoom{"is_my_room", R"(
    SELECT 1 FROM rooms WHERE (id, name, kind, visibility, owner, created_at) = ($1, $2, $3, $4, $5, $6))"};
constexpr Statement kRoom{"room", "SELECT v, id, name, kind, visibility, owner, created_at FROM rooms WHERE id = $1"};
constexpr Statement kSetVisibility{"set_visibility", R"(
    WITH changed AS (
        UPDATE rooms SET visibility = $2, visibility_at = $3 WHERE id = $1 AND visibility_at < $3)
    SELECT 1 FROM rooms WHERE id = $1)"};
constexpr Statement kPublicRooms{"public_rooms", R"(
    SELECT v, id, name, kind, visibility, owner, created_at FROM rooms
    WHERE kind = 1 AND visibility = 1 AND id > $1 ORDER BY id LIMIT $2)"};
constexpr Statement kRoomsOf{"rooms_of", R"(
    SELECT r.v, r.id, r.name, r.kind, r.visibility, r.owner, r.created_at FROM memberships m JOIN rooms r ON r.id = m.room
    WHERE m.member = $1 AND NOT m.gone AND m.standing <> 4 ORDER BY m.room LIMIT $2)"};

constexpr Statement kPutStanding{"put_standing", R"(
    INSERT INTO memberships (room, member, nickname, standing, since, gone) VALUES ($1, $2, $3, $4, $5, $6 = 1)
    ON CONFLICT (room, member) DO UPDATE
    SET nickname = excluded.nickname, standing = excluded.standing, since = excluded.since, gone = excluded.gone
    WHERE memberships.since < excluded.since)"};
constexpr Statement kMembership{"membership", R"(
    SELECT v, member, nickname, standing, since FROM memberships WHERE room = $1 AND member = $2 AND NOT gone)"};
constexpr Statement kMembers{"members", R"(
    SELECT v, member, nickname, standing, since FROM memberships
    WHERE room = $1 AND member > $2 AND NOT gone AND standing <> 4 ORDER BY member LIMIT $3)"};

constexpr Statement kNoteChange{"note_change", R"(
    INSERT INTO changes_in_flight (room, id, above, nickname) VALUES ($1, $2, $3, $4)
    ON CONFLICT (room, id) DO UPDATE SET above = excluded.above, nickname = excluded.nickname)"};
constexpr Statement kChangeDone{"change_done", "DELETE FROM changes_in_flight WHERE room = $1 AND id = $2"};
constexpr Statement kChanges{"changes", "SELECT v, room, id, above, nickname FROM changes_in_flight"};

constexpr Statement kRaiseReadMark{"raise_read_mark", R"(
    INSERT INTO read_marks (room, member, seq) VALUES ($1, $2, $3)
    ON CONFLICT (room, member) DO UPDATE SET seq = greatest(read_marks.seq, excluded.seq) RETURNING v, seq)"};
constexpr Statement kReadMark{"read_mark", "SELECT v, seq FROM read_marks WHERE room = $1 AND member = $2"};

/// ASCII letters in lower case.
std::string folded(std::string name) {
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return name;
}

template <class Enum>
std::uint64_t as_number(Enum value) {
    return static_cast<std::uint64_t>(value);
}

Account read_account(const Rows& rows, std::size_t row) {
    return {MemberId::trusted(rows.text(row, 1)),
            rows.text(row, 2),
            rows.text(row, 3),
            rows.text(row, 4),
            rows.time(row, 5),
            rows.time(row, 6)};
}

RoomInfo read_room(const Rows& rows, std::size_t row) {
    return {RoomId::trusted(rows.text(row, 1)),         rows.text(row, 2),
            static_cast<RoomKind>(rows.number(row, 3)), static_cast<Visibility>(rows.number(row, 4)),
            MemberId::trusted(rows.text(row, 5)),       rows.time(row, 6)};
}

Membership read_membership(const Rows& rows, std::size_t row) {
    return {MemberId::trusted(rows.text(row, 1)), rows.text(row, 2), static_cast<Standing>(rows.number(row, 3)),
            RoomSeq{rows.number(row, 4)}};
}

ChangeInFlight read_change(const Rows& rows, std::size_t row) {
    return {MessageId::trusted(rows.text(row, 2)), RoomId::trusted(rows.text(row, 1)), RoomSeq{rows.number(row, 3)},
            rows.text(row, 4)};
}

WallTime read_time(const Rows& rows, std::size_t row) { return rows.time(row, 1); }

RoomSeq read_seq(const Rows& rows, std::size_t row) { return {rows.number(row, 1)}; }

}  // namespace

Result<> PostgresDirectory::change(const Statement& statement, const Params& params) {
    const auto changed = pool_->run(statement, params);
    if (!changed) return fail(changed.error());
    return {};
}

template <class T>
Result<std::vector<T>> PostgresDirectory::list(const Statement& statement, const Params& params, Read<T> read) {
    const auto rows = pool_->run(statement, params);
    if (!rows) return fail(rows.error());
    if (auto known = check_format(*rows, 0); !known) return fail(known.error());
    std::vector<T> out;
    out.reserve(rows->size());
    for (std::size_t row = 0; row < rows->size(); ++row) out.push_back(read(*rows, row));
    return out;
}

template <class T>
Result<std::optional<T>> PostgresDirectory::one(const Statement& statement, const Params& params, Read<T> read) {
    auto rows = list(statement, params, read);
    if (!rows) return fail(rows.error());
    if (rows->empty()) return std::optional<T>{};
    return std::optional{std::move(rows->front())};
}

Result<bool> PostgresDirectory::insert(const Statement& statement, const Params& params, const Statement& is_mine,
                                       const Params& mine) {
    return pool_->with([&](Connection& connection, Deadline deadline, bool again) -> Result<bool> {
        auto made = connection.run(statement, params, deadline);
        if (made && made->empty() && again) made = connection.run(is_mine, mine, deadline);
        if (!made) return fail(std::move(made.error()));
        return !made->empty();
    });
}

// --- accounts and tokens ------------------------------------------------------------------------------------------

Result<> PostgresDirectory::add_account(const Account& account) {
    Params row;
    row.text(account.id.str()).text(account.name).text(folded(account.name)).text(account.nickname);
    row.text(account.password_hash).time(account.created_at);
    const auto added = insert(kAddAccount, row, kIsMyAccount, row);
    if (!added) return fail(added.error());
    if (!*added) return fail(Code::kNameTaken, "this name or id is taken");
    return {};
}

Result<std::optional<Account>> PostgresDirectory::account(const MemberId& id) {
    return one(kAccount, Params{}.text(id.str()), read_account);
}

Result<std::optional<Account>> PostgresDirectory::account_by_name(const std::string& name) {
    return one(kAccountByName, Params{}.text(folded(name)), read_account);
}

Result<> PostgresDirectory::set_password_hash(const MemberId& id, const std::string& hash) {
    const auto set = pool_->run(kSetPassword, Params{}.text(id.str()).text(hash));
    if (!set) return fail(set.error());
    if (set->changed() == 0) return fail(Code::kMemberNotFound, "no account has this id");
    return {};
}

Result<> PostgresDirectory::set_revoked_before(const MemberId& id, WallTime time) {
    return change(kRevokeMember, Params{}.text(id.str()).time(time));
}

Result<std::optional<WallTime>> PostgresDirectory::revoked_before(const MemberId& id) {
    return one(kRevokedBefore, Params{}.text(id.str()), read_time);
}

Result<> PostgresDirectory::revoke_token(const std::string& sha256_hex, WallTime expires) {
    return change(kRevokeToken, Params{}.text(sha256_hex).time(expires));
}

Result<bool> PostgresDirectory::is_token_revoked(const std::string& sha256_hex) {
    const auto found = pool_->run(kIsTokenRevoked, Params{}.text(sha256_hex));
    if (!found) return fail(found.error());
    return !found->empty();
}

Result<std::vector<std::string>> PostgresDirectory::revoked_among(const std::vector<HeldToken>& tokens) {
    Params held;
    held.texts(tokens, [](const HeldToken& token) { return std::string_view{token.sha256_hex}; });
    held.texts(tokens, [](const HeldToken& token) { return std::string_view{token.member.str()}; });
    held.numbers(tokens, [](const HeldToken& token) { return token.issued_at.time_since_epoch().count(); });
    const auto rows = pool_->run(kRevokedAmong, held);
    if (!rows) return fail(rows.error());
    std::vector<std::string> out;
    for (std::size_t row = 0; row < rows->size(); ++row) out.push_back(rows->text(row, 0));
    return out;
}

Result<std::size_t> PostgresDirectory::forget_expired(WallTime now) {
    const auto forgotten = pool_->run(kForgetExpired, Params{}.time(now));
    if (!forgotten) return fail(forgotten.error());
    return forgotten->changed();
}

// --- rooms --------------------------------------------------------------------------------------------------------

Result<> PostgresDirectory::add_room(const RoomInfo& room, const std::string& owner_nickname) {
    Params row;
    row.text(room.id.str()).text(room.name).number(as_number(room.kind)).number(as_number(room.visibility));
    row.text(room.owner.str()).time(room.created_at);
    const auto added = insert(kAddRoom, Params{row}.text(owner_nickname), kIsMyRoom, row);
    if (!added) return fail(added.error());
    if (!*added) return fail(Code::kRoomExists, "room " + room.id.str() + " exists");
    return {};
}

Result<std::optional<RoomInfo>> PostgresDirectory::room(const RoomId& id) {
    return one(kRoom, Params{}.text(id.str()), read_room);
}

Result<> PostgresDirectory::set_visibility(const RoomId& id, Visibility visibility, RoomSeq at) {
    const auto there =
        pool_->run(kSetVisibility, Params{}.text(id.str()).number(as_number(visibility)).number(at.value));
    if (!there) return fail(there.error());
    if (there->empty()) return fail(Code::kRoomNotFound, "there is no room " + id.str());
    return {};
}

Result<std::vector<RoomInfo>> PostgresDirectory::public_rooms(const RoomId& after, std::size_t limit) {
    return list(kPublicRooms, Params{}.text(after.str()).number(limit), read_room);
}

Result<std::vector<RoomInfo>> PostgresDirectory::rooms_of(const MemberId& member, std::size_t limit) {
    return list(kRoomsOf, Params{}.text(member.str()).number(limit), read_room);
}

// --- membership ---------------------------------------------------------------------------------------------------

Result<> PostgresDirectory::change_standing(const RoomId& room, const Membership& membership, bool gone) {
    Params row;
    row.text(room.str()).text(membership.member.str()).text(membership.nickname);
    row.number(as_number(membership.standing)).number(membership.since.value).number(gone ? 1 : 0);
    return change(kPutStanding, row);
}

Result<> PostgresDirectory::put_membership(const RoomId& room, const Membership& membership) {
    return change_standing(room, membership, false);
}

Result<> PostgresDirectory::drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) {
    return change_standing(room, {member, "", Standing::kMember, at}, true);
}

Result<std::optional<Membership>> PostgresDirectory::membership(const RoomId& room, const MemberId& member) {
    return one(kMembership, Params{}.text(room.str()).text(member.str()), read_membership);
}

Result<std::vector<Membership>> PostgresDirectory::members(const RoomId& room, const MemberId& after,
                                                           std::size_t limit) {
    return list(kMembers, Params{}.text(room.str()).text(after.str()).number(limit), read_membership);
}

Result<> PostgresDirectory::note_change(const ChangeInFlight& noted) {
    Params row;
    row.text(noted.room.str()).text(noted.id.str()).number(noted.above.value).text(noted.nickname);
    return change(kNoteChange, row);
}

Result<> PostgresDirectory::change_done(const RoomId& room, const MessageId& id) {
    return change(kChangeDone, Params{}.text(room.str()).text(id.str()));
}

Result<std::vector<ChangeInFlight>> PostgresDirectory::changes_in_flight() { return list(kChanges, {}, read_change); }

// --- read marks ---------------------------------------------------------------------------------------------------

Result<RoomSeq> PostgresDirectory::raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) {
    const auto mark = one(kRaiseReadMark, Params{}.text(room.str()).text(member.str()).number(seq.value), read_seq);
    if (!mark) return fail(mark.error());
    return **mark;
}

Result<RoomSeq> PostgresDirectory::read_mark(const RoomId& room, const MemberId& member) {
    const auto mark = one(kReadMark, Params{}.text(room.str()).text(member.str()), read_seq);
    if (!mark) return fail(mark.error());
    return mark->value_or(RoomSeq{0});
}

}  // namespace parley::postgres
