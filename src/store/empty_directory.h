#pragma once
#include "store/directory.h"

namespace parley::store {

/// For tests: has nothing and takes everything. A double overrides what it is about.
class EmptyDirectory : public Directory {
public:
    Result<> add_account(const Account&) override { return {}; }
    Result<std::optional<Account>> account(const MemberId&) override { return std::optional<Account>{}; }
    Result<std::optional<Account>> account_by_name(const std::string&) override { return std::optional<Account>{}; }
    Result<> set_password_hash(const MemberId&, const std::string&) override { return {}; }
    Result<> set_revoked_before(const MemberId&, WallTime) override { return {}; }
    Result<std::optional<WallTime>> revoked_before(const MemberId&) override { return std::optional<WallTime>{}; }
    Result<> revoke_token(const std::string&, WallTime) override { return {}; }
    Result<bool> is_token_revoked(const std::string&) override { return false; }
    Result<std::size_t> forget_expired(WallTime) override { return std::size_t{0}; }
    Result<> add_room(const RoomInfo&, const std::string&) override { return {}; }
    Result<std::optional<RoomInfo>> room(const RoomId&) override { return std::optional<RoomInfo>{}; }
    Result<> set_visibility(const RoomId&, Visibility, RoomSeq) override { return {}; }
    Result<std::vector<RoomInfo>> public_rooms(const RoomId&, std::size_t) override { return std::vector<RoomInfo>{}; }
    Result<std::vector<RoomInfo>> rooms_of(const MemberId&, std::size_t) override { return std::vector<RoomInfo>{}; }
    Result<> put_membership(const RoomId&, const Membership&) override { return {}; }
    Result<> drop_membership(const RoomId&, const MemberId&, RoomSeq) override { return {}; }
    Result<std::optional<Membership>> membership(const RoomId&, const MemberId&) override {
        return std::optional<Membership>{};
    }
    Result<std::vector<Membership>> members(const RoomId&, const MemberId&, std::size_t) override {
        return std::vector<Membership>{};
    }
    Result<> note_change(const ChangeInFlight&) override { return {}; }
    Result<> change_done(const RoomId&, const MessageId&) override { return {}; }
    Result<std::vector<ChangeInFlight>> changes_in_flight() override { return std::vector<ChangeInFlight>{}; }
    Result<RoomSeq> raise_read_mark(const RoomId&, const MemberId&, RoomSeq) override { return RoomSeq{}; }
    Result<RoomSeq> read_mark(const RoomId&, const MemberId&) override { return RoomSeq{}; }
};

}  // namespace parley::store
