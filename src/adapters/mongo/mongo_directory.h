#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mongo/pool.h"
#include "store/directory.h"

namespace parley::mongo {

/// The Directory that several servers share.
///
/// Every change is one document, but a room with an owner: the room's document is inserted with the membership in it,
/// `unfinished`, then the membership is made, then the mark taken away. A server that stops in between leaves the mark;
/// whoever looks for memberships of that room or of that owner makes the membership first. It is made only where there
/// is none, so doing it late or twice overwrites no later change.
///
/// Thread: any; a call is one to four round trips to the database.
/// Owns:   the pool, together with others.
/// Order:  changes of one document stand in the database's order. A success is in the journals of a majority.
/// Fails:  kStoreUnavailable for trouble with the database, within seconds, and for a document of a later format;
///         kInvalidPayload for a text that is not UTF-8. A call whose connection broke is made once more, and tells as
///         its own what the first try had stored.
class MongoDirectory final : public store::Directory {
public:
    explicit MongoDirectory(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

    Result<> add_account(const store::Account& account) override;
    Result<std::optional<store::Account>> account(const MemberId& id) override;
    Result<std::optional<store::Account>> account_by_name(const std::string& name) override;
    Result<> set_password_hash(const MemberId& id, const std::string& hash) override;
    Result<> set_revoked_before(const MemberId& id, WallTime time) override;
    Result<std::optional<WallTime>> revoked_before(const MemberId& id) override;

    Result<> revoke_token(const std::string& sha256_hex, WallTime expires) override;
    Result<bool> is_token_revoked(const std::string& sha256_hex) override;
    Result<std::vector<std::string>> revoked_among(const std::vector<store::HeldToken>& tokens) override;
    Result<std::size_t> forget_expired(WallTime now) override;

    Result<> add_room(const store::RoomInfo& room, const std::string& owner_nickname) override;
    Result<std::optional<store::RoomInfo>> room(const RoomId& id) override;
    Result<> set_visibility(const RoomId& id, store::Visibility visibility, RoomSeq at) override;
    Result<std::vector<store::RoomInfo>> public_rooms(const RoomId& after, std::size_t limit) override;
    Result<std::vector<store::RoomInfo>> rooms_of(const MemberId& member, std::size_t limit) override;

    Result<> put_membership(const RoomId& room, const store::Membership& membership) override;
    Result<> drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) override;
    Result<std::optional<store::Membership>> membership(const RoomId& room, const MemberId& member) override;
    Result<std::vector<store::Membership>> members(const RoomId& room, const MemberId& after,
                                                   std::size_t limit) override;

    Result<> note_change(const store::ChangeInFlight& change) override;
    Result<> change_done(const RoomId& room, const MessageId& id) override;
    Result<std::vector<store::ChangeInFlight>> changes_in_flight() override;

    Result<RoomSeq> raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) override;
    Result<RoomSeq> read_mark(const RoomId& room, const MemberId& member) override;

private:
    /// Gives the command; once more where a unique index refused it, since two servers that insert the same id at the
    /// same time find it the second time. What is refused then too is refused by what it asks for.
    Result<Reply> upsert(const Document& command);
    /// Changes the document of that id, or makes it so.
    Result<> put(const char* collection, const std::string& id, const Document& fields);
    /// The document that `filter` finds, of a known format.
    Result<std::optional<Document>> one(const char* collection, const Document& filter);
    Result<std::vector<Document>> list(const Document& command);
    Result<std::optional<store::Account>> find_account(const Document& filter);
    /// Whether `document` is new. Given again after a broken connection, it looks for what the first try may
    /// have stored: a document that `mine` finds.
    Result<bool> insert_new(const char* collection, const Document& document, const Document& mine);
    Result<> change_standing(const RoomId& room, const store::Membership& membership, bool gone);
    /// Makes the owners' memberships in the unfinished rooms among those. Returns whether there were any.
    Result<bool> finish_rooms(const Document& rooms);

    const std::shared_ptr<Pool> pool_;
};

}  // namespace parley::mongo
