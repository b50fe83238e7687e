#include "store/embedded_directory.h"

#include "store/database.h"
#include "store/directory_records.h"
#include "store/embedded_ledger.h"

namespace parley::store {

using namespace records;

namespace {

bool is_listed(const RoomInfo& room) { return room.kind == RoomKind::kChat && room.visibility == Visibility::kPublic; }

Error damaged(std::string_view key) {
    return {Code::kStoreUnavailable,
            "a record of the directory is damaged or of a later version (table " + std::string{key.substr(0, 1)} + ")"};
}

Error later_version(const std::filesystem::path& folder) {
    return {Code::kStoreUnavailable,
            "the directory in " + folder.string() + " was written by a later version of parley"};
}

}  // namespace

EmbeddedDirectory::EmbeddedDirectory(std::shared_ptr<Database> database) : database_(std::move(database)) {}
EmbeddedDirectory::~EmbeddedDirectory() = default;

std::unique_ptr<Ledger> EmbeddedDirectory::ledger() { return std::make_unique<EmbeddedLedger>(database_); }

Result<std::unique_ptr<EmbeddedDirectory>> EmbeddedDirectory::open(const std::filesystem::path& folder,
                                                                   const Clock& clock, rocksdb::Env* env) {
    auto database = Database::open(folder, clock, env);
    if (!database) return fail(database.error());
    auto format = (*database)->get(kFormatKey);
    if (!format) return fail(format.error());
    if (!format->has_value()) {
        if (auto written = (*database)->write({{kFormatKey, kFormat}}); !written) return fail(written.error());
    } else if (**format != kFormat) {
        return fail(later_version(folder));
    }
    return std::unique_ptr<EmbeddedDirectory>{new EmbeddedDirectory(std::move(*database))};
}

Result<std::unique_ptr<EmbeddedDirectory>> EmbeddedDirectory::open_read_only(const std::filesystem::path& folder,
                                                                             const Clock& clock) {
    auto database = Database::open(folder, clock, nullptr, Access::kReadOnly);
    if (!database) return fail(database.error());
    const auto format = (*database)->get(kFormatKey);
    if (!format) return fail(format.error());
    if (format->has_value() && **format != kFormat) return fail(later_version(folder));
    return std::unique_ptr<EmbeddedDirectory>{new EmbeddedDirectory(std::move(*database))};
}

std::mutex& EmbeddedDirectory::stripe(const std::string& key) {
    return stripes_[std::hash<std::string>{}(key) % stripes_.size()];
}

/// The record under `key`; nullopt when there is none.
template <class T>
Result<std::optional<T>> EmbeddedDirectory::read(const std::string& key, std::optional<T> (*decode)(std::string_view)) {
    auto bytes = database_->get(key);
    if (!bytes) return fail(bytes.error());
    if (!bytes->has_value()) return std::optional<T>{};
    auto value = decode(**bytes);
    if (!value) return fail(damaged(key));
    return value;
}

template <class T, class Take>
Result<> EmbeddedDirectory::read_all(const std::string& prefix, const std::string& from,
                                     std::optional<T> (*decode)(std::string_view), Take take) {
    std::optional<Error> error;
    auto scanned = database_->scan(prefix, from, [&](std::string_view key, std::string_view value) {
        auto record = decode(value);
        if (record) return take(std::move(*record));
        error = damaged(key);
        return false;
    });
    if (!scanned) return scanned;
    if (error) return fail(std::move(*error));
    return {};
}

Result<> EmbeddedDirectory::add_account(const Account& account) {
    const std::lock_guard lock{accounts_};
    for (const std::string& key : {account_key(account.id), name_key(account.name)}) {
        auto there = database_->get(key);
        if (!there) return fail(there.error());
        if (there->has_value()) return fail(Code::kNameTaken, "this name or id is taken");
    }
    return database_->write({{account_key(account.id), encode(account)}, {name_key(account.name), encode(account.id)}});
}

Result<std::optional<Account>> EmbeddedDirectory::account(const MemberId& id) {
    auto account = read(account_key(id), decode_account);
    if (!account || !account->has_value()) return account;
    auto revoked = revoked_before(id);
    if (!revoked) return fail(revoked.error());
    (*account)->revoked_before = revoked->value_or(WallTime{});
    return account;
}

Result<std::optional<Account>> EmbeddedDirectory::account_by_name(const std::string& name) {
    auto id = read(name_key(name), decode_member);
    if (!id) return fail(id.error());
    if (!id->has_value()) return std::optional<Account>{};
    return account(**id);
}

Result<> EmbeddedDirectory::set_password_hash(const MemberId& id, const std::string& hash) {
    const std::string key = account_key(id);
    const std::lock_guard lock{stripe(key)};
    auto account = read(key, decode_account);
    if (!account) return fail(account.error());
    if (!account->has_value()) return fail(Code::kMemberNotFound, "no account has this id");
    (*account)->password_hash = hash;
    return database_->write({{key, encode(**account)}});
}

Result<> EmbeddedDirectory::set_revoked_before(const MemberId& id, WallTime time) {
    return raise(revoked_before_key(id), time);
}

Result<std::optional<WallTime>> EmbeddedDirectory::revoked_before(const MemberId& id) {
    return read(revoked_before_key(id), decode_time);
}

Result<> EmbeddedDirectory::revoke_token(const std::string& sha256_hex, WallTime expires) {
    return raise(token_key(sha256_hex), expires);
}

Result<> EmbeddedDirectory::raise(const std::string& key, WallTime time) {
    const std::lock_guard lock{stripe(key)};
    auto old = read(key, decode_time);
    if (!old) return fail(old.error());
    if (old->has_value() && **old >= time) return {};
    return database_->write({{key, encode(time)}});
}

Result<bool> EmbeddedDirectory::is_token_revoked(const std::string& sha256_hex) {
    auto bytes = database_->get(token_key(sha256_hex));
    if (!bytes) return fail(bytes.error());
    return bytes->has_value();
}

Result<std::size_t> EmbeddedDirectory::forget_expired(WallTime now) {
    std::vector<std::string> expired;
    const std::string table = token_key("");
    auto scanned = database_->scan(table, table, [&](std::string_view key, std::string_view value) {
        const auto expires = decode_time(value);
        if (expires && *expires < now) expired.emplace_back(key);
        return true;
    });
    if (!scanned) return fail(scanned.error());
    std::size_t forgotten = 0;
    for (const std::string& key : expired) {
        const std::lock_guard lock{stripe(key)};  // it may have been revoked for longer since
        auto expires = read(key, decode_time);
        if (!expires) return fail(expires.error());
        if (!expires->has_value() || **expires >= now) continue;
        if (auto dropped = database_->write({{key, std::nullopt}}); !dropped) return fail(dropped.error());
        ++forgotten;
    }
    return forgotten;
}

Result<> EmbeddedDirectory::add_room(const RoomInfo& room, const std::string& owner_nickname) {
    const std::string key = room_key(room.id);
    const std::lock_guard lock{stripe(key)};
    auto there = database_->get(key);
    if (!there) return fail(there.error());
    if (there->has_value()) return fail(Code::kRoomExists, "room " + room.id.str() + " exists");
    std::vector<Change> changes{{key, encode(StoredRoom{room, RoomSeq{0}})}};
    if (is_listed(room)) changes.push_back({public_room_key(room.id), ""});
    if (!room.owner.empty()) {
        const Membership owner{room.owner, owner_nickname, Standing::kOwner, RoomSeq{0}};
        changes.push_back({membership_key(room.id, room.owner), encode(StoredStanding{owner, false})});
        changes.push_back({room_of_member_key(room.owner, room.id), ""});
    }
    return database_->write(changes);
}

Result<std::optional<RoomInfo>> EmbeddedDirectory::room(const RoomId& id) {
    auto stored = read(room_key(id), decode_room);
    if (!stored) return fail(stored.error());
    if (!stored->has_value()) return std::optional<RoomInfo>{};
    return std::optional{std::move((*stored)->info)};
}

Result<> EmbeddedDirectory::set_visibility(const RoomId& id, Visibility visibility, RoomSeq at) {
    const std::string key = room_key(id);
    const std::lock_guard lock{stripe(key)};
    auto stored = read(key, decode_room);
    if (!stored) return fail(stored.error());
    if (!stored->has_value()) return fail(Code::kRoomNotFound, "there is no room " + id.str());
    StoredRoom& room = **stored;
    if (at <= room.visibility_at) return {};
    room.info.visibility = visibility;
    room.visibility_at = at;
    Change listing{public_room_key(id), std::nullopt};
    if (is_listed(room.info)) listing.value = "";
    return database_->write({{key, encode(room)}, listing});
}

Result<std::vector<RoomInfo>> EmbeddedDirectory::public_rooms(const RoomId& after, std::size_t limit) {
    std::vector<RoomId> ids;
    const std::string table = public_room_key(RoomId{});
    const std::string after_key = public_room_key(after);
    auto scanned = database_->scan(table, after_key, [&](std::string_view key, std::string_view) {
        if (ids.size() == limit) return false;
        if (key != after_key) ids.push_back(RoomId::trusted(std::string{key.substr(table.size())}));
        return true;
    });
    if (!scanned) return fail(scanned.error());
    return load_rooms(ids);
}

Result<std::vector<RoomInfo>> EmbeddedDirectory::rooms_of(const MemberId& member, std::size_t limit) {
    std::vector<RoomId> ids;
    const std::string prefix = room_of_member_prefix(member);
    auto scanned = database_->scan(prefix, prefix, [&](std::string_view key, std::string_view) {
        if (ids.size() == limit) return false;
        ids.push_back(RoomId::trusted(std::string{key.substr(prefix.size())}));
        return true;
    });
    if (!scanned) return fail(scanned.error());
    return load_rooms(ids);
}

Result<std::vector<RoomInfo>> EmbeddedDirectory::load_rooms(const std::vector<RoomId>& ids) {
    std::vector<RoomInfo> rooms;
    rooms.reserve(ids.size());
    for (const RoomId& id : ids) {
        auto info = room(id);
        if (!info) return fail(info.error());
        if (info->has_value()) rooms.push_back(std::move(**info));
    }
    return rooms;
}

Result<> EmbeddedDirectory::put_membership(const RoomId& room, const Membership& membership) {
    return change_standing(room, {membership, false});
}

Result<> EmbeddedDirectory::drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) {
    return change_standing(room, {Membership{member, "", Standing::kMember, at}, true});
}

Result<> EmbeddedDirectory::change_standing(const RoomId& room, const StoredStanding& change) {
    const Membership& membership = change.membership;
    const std::lock_guard lock{stripe(room_key(room))};
    const std::string key = membership_key(room, membership.member);
    auto old = read(key, decode_standing);
    if (!old) return fail(old.error());
    if (old->has_value() && membership.since <= (*old)->membership.since) return {};
    Change of_member{room_of_member_key(membership.member, room), std::nullopt};
    if (!change.gone && membership.standing != Standing::kKicked) of_member.value = "";
    return database_->write({{key, encode(change)}, of_member});
}

Result<std::optional<Membership>> EmbeddedDirectory::membership(const RoomId& room, const MemberId& member) {
    auto stored = read(membership_key(room, member), decode_standing);
    if (!stored) return fail(stored.error());
    if (!stored->has_value() || (*stored)->gone) return std::optional<Membership>{};
    return std::optional{std::move((*stored)->membership)};
}

Result<std::vector<Membership>> EmbeddedDirectory::members(const RoomId& room, const MemberId& after,
                                                           std::size_t limit) {
    std::vector<Membership> found;
    const auto from = membership_key(room, after);
    auto scanned = read_all(membership_prefix(room), from, decode_standing, [&](StoredStanding stored) {
        if (found.size() == limit) return false;
        const bool listed = !stored.gone && stored.membership.standing != Standing::kKicked &&
                            stored.membership.member.str() != after.str();
        if (listed) found.push_back(std::move(stored.membership));
        return true;
    });
    if (!scanned) return fail(scanned.error());
    return found;
}

Result<> EmbeddedDirectory::note_change(const ChangeInFlight& change) {
    return database_->write({{change_key(change.room, change.id), encode(change)}});
}

Result<> EmbeddedDirectory::change_done(const RoomId& room, const MessageId& id) {
    return database_->write({{change_key(room, id), std::nullopt}});
}

Result<std::vector<ChangeInFlight>> EmbeddedDirectory::changes_in_flight() {
    std::vector<ChangeInFlight> found;
    auto scanned = read_all(changes_prefix(), changes_prefix(), decode_change, [&](ChangeInFlight change) {
        found.push_back(std::move(change));
        return true;
    });
    if (!scanned) return fail(scanned.error());
    return found;
}

Result<RoomSeq> EmbeddedDirectory::raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) {
    const std::string key = read_mark_key(room, member);
    const std::lock_guard lock{stripe(key)};
    auto old = read(key, decode_seq);
    if (!old) return fail(old.error());
    const RoomSeq mark = old->value_or(RoomSeq{0});
    if (seq <= mark) return mark;
    if (auto written = database_->write({{key, encode(seq)}}); !written) return fail(written.error());
    return seq;
}

Result<RoomSeq> EmbeddedDirectory::read_mark(const RoomId& room, const MemberId& member) {
    auto mark = read(read_mark_key(room, member), decode_seq);
    if (!mark) return fail(mark.error());
    return mark->value_or(RoomSeq{0});
}

}  // namespace parley::store
