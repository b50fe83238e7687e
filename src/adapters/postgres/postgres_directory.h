#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/pool.h"
#include "store/directory.h"

namespace parley::postgres {

/// The Directory that several servers share.
///
/// Thread: any; every call is one or two round trips to the database.
/// Owns:   the pool, together with others.
/// Order:  a change is one statement and stands in PostgreSQL's order. A success is committed and flushed there.
/// Fails:  kStoreUnavailable for trouble with the database, within Settings::answer_limit, and for a row of a later
///         format; kInvalidPayload for a text with U+0000. A call whose connection broke is made once more, and
///         tells as its own what the first try had stored.
class PostgresDirectory final : public store::Directory {
public:
    explicit PostgresDirectory(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

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
    template <class T>
    using Read = T (*)(const Rows& rows, std::size_t row);

    /// For changes whose answer says nothing.
    Result<> change(const Statement& statement, const Params& params);
    /// Each row through `read`; their first column is the format.
    template <class T>
    Result<std::vector<T>> list(const Statement& statement, const Params& params, Read<T> read);
    template <class T>
    Result<std::optional<T>> one(const Statement& statement, const Params& params, Read<T> read);
    /// Whether `statement` answered a row. Made again, it finds what the first try may have stored: `is_mine` then
    /// answers a row if that is so.
    Result<bool> insert(const Statement& statement, const Params& params, const Statement& is_mine, const Params& mine);
    Result<> change_standing(const RoomId& room, const store::Membership& membership, bool gone);
    const std::shared_ptr<Pool> pool_;
};

}  // namespace parley::postgres
