#include "adapters/mongo/mongo_directory.h"

#include <algorithm>
#include <map>
#include <set>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/database.h"
#include "adapters/mongo/schema.h"

namespace parley::mongo {
namespace {

using namespace store;

constexpr std::size_t kRoomsAtOnce = 500;

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

Document by_id(const std::string& id) { return Document{}.text("_id", id); }
/// No id of ours has a space.
std::string pair_id(const RoomId& room, const std::string& other) { return room.str() + ' ' + other; }

/// The room, if its owner's membership may be missing.
Document unfinished(const RoomId& room) {
    return by_id(room.str()).document("unfinished", Document{}.flag("$exists", true));
}

Document set(const Document& fields) { return Document{}.document("$set", fields); }
Document raise(const Document& fields) {
    return Document{}.document("$max", fields).document("$setOnInsert", formatted());
}

RoomInfo read_room(const Document& room) {
    return {RoomId::trusted(room.text("_id")),          room.text("name"),
            static_cast<RoomKind>(room.number("kind")), static_cast<Visibility>(room.number("visibility")),
            MemberId::trusted(room.text("owner")),      room.time("created_at")};
}

Membership read_membership(const Document& membership) {
    return {MemberId::trusted(membership.text("member")), membership.text("nickname"),
            static_cast<Standing>(membership.number("standing")), RoomSeq{membership.number("since")}};
}

/// Without its id.
Document to_document(const RoomId& room, const Membership& membership, bool gone) {
    Document out = formatted();
    out.text("room", room.str()).text("member", membership.member.str()).text("nickname", membership.nickname);
    out.number("standing", as_number(membership.standing)).number("since", membership.since.value).flag("gone", gone);
    return out.flag("active", !gone && membership.standing != Standing::kKicked);
}

template <class T, class Read>
std::vector<T> read_all(const std::vector<Document>& documents, Read read) {
    std::vector<T> out;
    out.reserve(documents.size());
    for (const Document& document : documents) out.push_back(read(document));
    return out;
}

}  // namespace

Result<Reply> MongoDirectory::upsert(const Document& command) {
    auto changed = pool_->run(command);
    if (changed && !changed->duplicates.empty()) changed = pool_->run(command);
    return changed;
}

Result<> MongoDirectory::put(const char* collection, const std::string& id, const Document& fields) {
    const auto changed = upsert(update(collection, {change(by_id(id), fields, Else::kInsert)}));
    if (!changed) return fail(changed.error());
    return {};
}

Result<std::vector<Document>> MongoDirectory::list(const Document& command) {
    auto found = pool_->find(command);
    if (!found) return found;
    for (const Document& document : *found) {
        if (auto known = check_format(document); !known) return fail(std::move(known.error()));
    }
    return found;
}

Result<std::optional<Document>> MongoDirectory::one(const char* collection, const Document& filter) {
    auto found = list(find(collection, filter, 1));
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return std::optional<Document>{};
    return std::optional{std::move(found->front())};
}

Result<bool> MongoDirectory::insert_new(const char* collection, const Document& document, const Document& mine) {
    return pool_->with([&](Connection& connection, Deadline, bool again) -> Result<bool> {
        auto inserted = connection.run(insert(collection, {document}));
        if (!inserted) return fail(std::move(inserted.error()));
        if (inserted->duplicates.empty() || !again) return inserted->duplicates.empty();
        const auto found = connection.find(find(collection, mine, 1));
        if (!found) return fail(found.error());
        return !found->empty();
    });
}

// --- accounts and tokens ------------------------------------------------------------------------------------------

Result<> MongoDirectory::add_account(const Account& account) {
    Document made = by_id(account.id.str());
    made.number("v", kFormat).text("name", account.name).text("folded_name", folded(account.name));
    made.text("nickname", account.nickname).text("password_hash", account.password_hash);
    made.time("created_at", account.created_at);
    const auto added = insert_new(collection::kAccounts, made, made);
    if (!added) return fail(added.error());
    if (!*added) return fail(Code::kNameTaken, "this name or id is taken");
    return {};
}

Result<std::optional<Account>> MongoDirectory::find_account(const Document& filter) {
    const auto found = one(collection::kAccounts, filter);
    if (!found) return fail(found.error());
    if (!*found) return std::optional<Account>{};
    const Document& account = **found;
    const MemberId id = MemberId::trusted(account.text("_id"));
    const auto revoked = revoked_before(id);
    if (!revoked) return fail(revoked.error());
    return std::optional{Account{id, account.text("name"), account.text("nickname"), account.text("password_hash"),
                                 account.time("created_at"), revoked->value_or(WallTime{})}};
}

Result<std::optional<Account>> MongoDirectory::account(const MemberId& id) { return find_account(by_id(id.str())); }

Result<std::optional<Account>> MongoDirectory::account_by_name(const std::string& name) {
    return find_account(Document{}.text("folded_name", folded(name)));
}

Result<> MongoDirectory::set_password_hash(const MemberId& id, const std::string& hash) {
    const auto changed = pool_->run(
        update(collection::kAccounts, {change(by_id(id.str()), set(Document{}.text("password_hash", hash)))}));
    if (!changed) return fail(changed.error());
    if (changed->changed() == 0) return fail(Code::kMemberNotFound, "no account has this id");
    return {};
}

Result<> MongoDirectory::set_revoked_before(const MemberId& id, WallTime time) {
    return put(collection::kRevokedMembers, id.str(), raise(Document{}.time("before", time)));
}

Result<std::optional<WallTime>> MongoDirectory::revoked_before(const MemberId& id) {
    const auto found = one(collection::kRevokedMembers, by_id(id.str()));
    if (!found) return fail(found.error());
    if (!*found) return std::optional<WallTime>{};
    return std::optional{(*found)->time("before")};
}

Result<> MongoDirectory::revoke_token(const std::string& sha256_hex, WallTime expires) {
    return put(collection::kRevokedTokens, sha256_hex, raise(Document{}.time("expires", expires)));
}

Result<bool> MongoDirectory::is_token_revoked(const std::string& sha256_hex) {
    const auto found = pool_->find(find(collection::kRevokedTokens, by_id(sha256_hex), 1));
    if (!found) return fail(found.error());
    return !found->empty();
}

Result<std::vector<std::string>> MongoDirectory::revoked_among(const std::vector<HeldToken>& tokens) {
    std::vector<std::string> hashes;
    std::vector<std::string> members;
    for (const HeldToken& token : tokens) {
        hashes.push_back(token.sha256_hex);
        members.push_back(token.member.str());
    }
    const auto revoked = pool_->find(find(collection::kRevokedTokens, any_of("_id", hashes)));
    if (!revoked) return fail(revoked.error());
    const auto ended = list(find(collection::kRevokedMembers, any_of("_id", members)));
    if (!ended) return fail(ended.error());
    std::set<std::string> out;
    for (const Document& token : *revoked) out.insert(token.text("_id"));
    std::map<std::string, WallTime> before;
    for (const Document& member : *ended) before.emplace(member.text("_id"), member.time("before"));
    for (const HeldToken& token : tokens) {
        const auto found = before.find(token.member.str());
        if (found != before.end() && token.issued_at < found->second) out.insert(token.sha256_hex);
    }
    return std::vector<std::string>{out.begin(), out.end()};
}

Result<std::size_t> MongoDirectory::forget_expired(WallTime now) {
    const Document expired = Document{}.document("expires", Document{}.time("$lt", now));
    const auto forgotten = pool_->run(remove(collection::kRevokedTokens, expired));
    if (!forgotten) return fail(forgotten.error());
    return forgotten->changed();
}

// --- rooms --------------------------------------------------------------------------------------------------------

Result<> MongoDirectory::add_room(const RoomInfo& room, const std::string& owner_nickname) {
    Document made = by_id(room.id.str());
    made.number("v", kFormat).text("name", room.name).number("kind", as_number(room.kind));
    made.number("visibility", as_number(room.visibility)).number("visibility_at", 0);
    made.text("owner", room.owner.str()).time("created_at", room.created_at);
    const Document mine = made;
    if (!room.owner.empty()) {
        made.document("unfinished", Document{}.text("member", room.owner.str()).text("nickname", owner_nickname));
    }
    const auto added = insert_new(collection::kRooms, made, mine);
    if (!added) return fail(added.error());
    if (!*added) return fail(Code::kRoomExists, "room " + room.id.str() + " exists");
    if (room.owner.empty()) return {};
    if (auto finished = finish_rooms(unfinished(room.id)); !finished) return fail(std::move(finished.error()));
    return {};
}

Result<bool> MongoDirectory::finish_rooms(const Document& rooms) {
    const auto unfinished = list(find(collection::kRooms, rooms));
    if (!unfinished) return fail(unfinished.error());
    for (const Document& room : *unfinished) {
        const RoomId id = RoomId::trusted(room.text("_id"));
        const Document owner = room.document("unfinished");
        const Membership membership{MemberId::trusted(owner.text("member")), owner.text("nickname"), Standing::kOwner,
                                    RoomSeq{0}};
        const auto made = put(collection::kMemberships, pair_id(id, membership.member.str()),
                              Document{}.document("$setOnInsert", to_document(id, membership, false)));
        if (!made) return fail(made.error());
        const Document finished = Document{}.document("$unset", Document{}.text("unfinished", ""));
        const auto noted = pool_->run(update(collection::kRooms, {change(by_id(id.str()), finished)}));
        if (!noted) return fail(noted.error());
    }
    return !unfinished->empty();
}

Result<std::optional<RoomInfo>> MongoDirectory::room(const RoomId& id) {
    const auto found = one(collection::kRooms, by_id(id.str()));
    if (!found) return fail(found.error());
    if (!*found) return std::optional<RoomInfo>{};
    return std::optional{read_room(**found)};
}

Result<> MongoDirectory::set_visibility(const RoomId& id, Visibility visibility, RoomSeq at) {
    Document earlier = by_id(id.str());
    earlier.document("visibility_at", Document{}.number("$lt", at.value));
    const Document changed = Document{}.number("visibility", as_number(visibility)).number("visibility_at", at.value);
    const auto done = pool_->run(update(collection::kRooms, {change(earlier, set(changed))}));
    if (!done) return fail(done.error());
    if (done->changed() > 0) return {};
    const auto there = room(id);
    if (!there) return fail(there.error());
    if (!*there) return fail(Code::kRoomNotFound, "there is no room " + id.str());
    return {};
}

Result<std::vector<RoomInfo>> MongoDirectory::public_rooms(const RoomId& after, std::size_t limit) {
    if (limit == 0) return std::vector<RoomInfo>{};
    Document listed;
    listed.number("kind", as_number(RoomKind::kChat)).number("visibility", as_number(Visibility::kPublic));
    listed.document("_id", Document{}.text("$gt", after.str()));
    const auto found = list(find(collection::kRooms, listed, limit));
    if (!found) return fail(found.error());
    return read_all<RoomInfo>(*found, read_room);
}

Result<std::vector<RoomInfo>> MongoDirectory::rooms_of(const MemberId& member, std::size_t limit) {
    if (auto finished = finish_rooms(Document{}.text("unfinished.member", member.str())); !finished)
        return fail(std::move(finished.error()));
    std::vector<RoomInfo> out;
    std::string after;
    while (out.size() < limit) {
        Document active;
        active.text("member", member.str()).flag("active", true);
        active.document("room", Document{}.text("$gt", after));
        const std::size_t asked = std::min(limit - out.size(), kRoomsAtOnce);
        const auto memberships = list(find(collection::kMemberships, active, asked, {"room"}));
        if (!memberships) return fail(memberships.error());
        if (memberships->empty()) break;
        std::vector<std::string> ids;
        for (const Document& membership : *memberships) ids.push_back(membership.text("room"));
        after = ids.back();
        const auto rooms = list(find(collection::kRooms, any_of("_id", ids)));
        if (!rooms) return fail(rooms.error());
        for (const Document& found : *rooms) out.push_back(read_room(found));
    }
    return out;
}

// --- membership ---------------------------------------------------------------------------------------------------

Result<> MongoDirectory::change_standing(const RoomId& room, const Membership& membership, bool gone) {
    Document earlier = by_id(pair_id(room, membership.member.str()));
    earlier.document("since", Document{}.number("$lt", membership.since.value));
    // One that is later does not match, and a second of its id cannot be inserted.
    const auto changed = upsert(
        update(collection::kMemberships, {change(earlier, set(to_document(room, membership, gone)), Else::kInsert)}));
    if (!changed) return fail(changed.error());
    return {};
}

Result<> MongoDirectory::put_membership(const RoomId& room, const Membership& membership) {
    return change_standing(room, membership, false);
}

Result<> MongoDirectory::drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) {
    return change_standing(room, {member, "", Standing::kMember, at}, true);
}

Result<std::optional<Membership>> MongoDirectory::membership(const RoomId& room, const MemberId& member) {
    for (;;) {
        const auto found = one(collection::kMemberships, by_id(pair_id(room, member.str())));
        if (!found) return fail(found.error());
        if (*found) {
            if ((*found)->flag("gone")) return std::optional<Membership>{};
            return std::optional{read_membership(**found)};
        }
        const auto finished = finish_rooms(unfinished(room));
        if (!finished) return fail(finished.error());
        if (!*finished) return std::optional<Membership>{};
    }
}

Result<std::vector<Membership>> MongoDirectory::members(const RoomId& room, const MemberId& after, std::size_t limit) {
    if (limit == 0) return std::vector<Membership>{};
    if (auto finished = finish_rooms(unfinished(room)); !finished) return fail(std::move(finished.error()));
    // '!' is what follows the space.
    const Document range = Document{}.text("$gt", pair_id(room, after.str())).text("$lt", room.str() + '!');
    const auto found =
        list(find(collection::kMemberships, Document{}.document("_id", range).flag("active", true), limit));
    if (!found) return fail(found.error());
    return read_all<Membership>(*found, read_membership);
}

Result<> MongoDirectory::note_change(const ChangeInFlight& noted) {
    Document fields = formatted();
    fields.text("room", noted.room.str()).text("message", noted.id.str()).number("above", noted.above.value);
    fields.text("nickname", noted.nickname);
    return put(collection::kChanges, pair_id(noted.room, noted.id.str()), set(fields));
}

Result<> MongoDirectory::change_done(const RoomId& room, const MessageId& id) {
    const auto removed = pool_->run(remove(collection::kChanges, by_id(pair_id(room, id.str()))));
    if (!removed) return fail(removed.error());
    return {};
}

Result<std::vector<ChangeInFlight>> MongoDirectory::changes_in_flight() {
    const auto found = list(find(collection::kChanges, {}));
    if (!found) return fail(found.error());
    return read_all<ChangeInFlight>(*found, [](const Document& change) {
        return ChangeInFlight{MessageId::trusted(change.text("message")), RoomId::trusted(change.text("room")),
                              RoomSeq{change.number("above")}, change.text("nickname")};
    });
}

// --- read marks ---------------------------------------------------------------------------------------------------

Result<RoomSeq> MongoDirectory::raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) {
    auto raised = upsert(find_and_change(collection::kReadMarks, by_id(pair_id(room, member.str())),
                                         raise(Document{}.number("seq", seq.value)), Else::kInsert));
    if (!raised) return fail(std::move(raised.error()));
    const Document mark = raised->body.document("value");
    if (auto known = check_format(mark); !known) return fail(std::move(known.error()));
    return RoomSeq{mark.number("seq")};
}

Result<RoomSeq> MongoDirectory::read_mark(const RoomId& room, const MemberId& member) {
    const auto found = one(collection::kReadMarks, by_id(pair_id(room, member.str())));
    if (!found) return fail(found.error());
    return RoomSeq{*found ? (*found)->number("seq") : 0};
}

}  // namespace parley::mongo
