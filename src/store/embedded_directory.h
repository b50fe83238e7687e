#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "store/directory.h"

namespace rocksdb {
class Env;
}

namespace parley::store {

class Database;
class Ledger;
namespace records {
struct StoredStanding;
}

/// The Directory of a single server: RocksDB in a folder of its own.
///
/// Thread: any; every call blocks on the disk, changes until fsynced.
/// Owns:   the folder: a second opener is refused.
/// Order:  changes of one room, account or token are made one after the other; changes of others at the same time
///         share an fsync.
/// Fails:  kStoreUnavailable for disk trouble, and for a record that is damaged or of a later version.
class EmbeddedDirectory final : public Directory {
public:
    /// `clock` and `env` (null: the real file system) must outlive it.
    static Result<std::unique_ptr<EmbeddedDirectory>> open(const std::filesystem::path& folder, const Clock& clock,
                                                           rocksdb::Env* env = nullptr);
    /// The directory of a server that may be running, as it is at this moment. Changes fail.
    static Result<std::unique_ptr<EmbeddedDirectory>> open_read_only(const std::filesystem::path& folder,
                                                                     const Clock& clock);
    ~EmbeddedDirectory() override;
    /// In the same store; may outlive the directory.
    [[nodiscard]] std::unique_ptr<Ledger> ledger();

    Result<> add_account(const Account& account) override;
    Result<std::optional<Account>> account(const MemberId& id) override;
    Result<std::optional<Account>> account_by_name(const std::string& name) override;
    Result<> set_password_hash(const MemberId& id, const std::string& hash) override;
    Result<> set_revoked_before(const MemberId& id, WallTime time) override;
    Result<std::optional<WallTime>> revoked_before(const MemberId& id) override;

    Result<> revoke_token(const std::string& sha256_hex, WallTime expires) override;
    Result<bool> is_token_revoked(const std::string& sha256_hex) override;
    Result<std::size_t> forget_expired(WallTime now) override;

    Result<> add_room(const RoomInfo& room, const std::string& owner_nickname) override;
    Result<std::optional<RoomInfo>> room(const RoomId& id) override;
    Result<> set_visibility(const RoomId& id, Visibility visibility, RoomSeq at) override;
    Result<std::vector<RoomInfo>> public_rooms(const RoomId& after, std::size_t limit) override;
    Result<std::vector<RoomInfo>> rooms_of(const MemberId& member, std::size_t limit) override;

    Result<> put_membership(const RoomId& room, const Membership& membership) override;
    Result<> drop_membership(const RoomId& room, const MemberId& member, RoomSeq at) override;
    Result<std::optional<Membership>> membership(const RoomId& room, const MemberId& member) override;
    Result<std::vector<Membership>> members(const RoomId& room, const MemberId& after, std::size_t limit) override;

    Result<> note_change(const ChangeInFlight& change) override;
    Result<> change_done(const RoomId& room, const MessageId& id) override;
    Result<std::vector<ChangeInFlight>> changes_in_flight() override;

    Result<RoomSeq> raise_read_mark(const RoomId& room, const MemberId& member, RoomSeq seq) override;
    Result<RoomSeq> read_mark(const RoomId& room, const MemberId& member) override;

private:
    explicit EmbeddedDirectory(std::shared_ptr<Database> database);
    std::mutex& stripe(const std::string& key);
    template <class T>
    Result<std::optional<T>> read(const std::string& key, std::optional<T> (*decode)(std::string_view));
    /// Every record whose key begins with `prefix`, in key order, until `take(record)` says false.
    template <class T, class Take>
    Result<> read_all(const std::string& prefix, const std::string& from, std::optional<T> (*decode)(std::string_view),
                      Take take);
    Result<std::vector<RoomInfo>> load_rooms(const std::vector<RoomId>& ids);
    /// Applies `change` unless the stored standing is of the same seq or a later one.
    Result<> change_standing(const RoomId& room, const records::StoredStanding& change);
    /// Stores max(old, time).
    Result<> raise(const std::string& key, WallTime time);

    std::shared_ptr<Database> database_;
    std::mutex accounts_;  ///< adding one checks two keys
    std::array<std::mutex, 64> stripes_;
};

}  // namespace parley::store
