#pragma once
#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "log/records.h"

namespace parley::log {

/// The most files that a store keeps open.
inline constexpr int kOpenFiles = 512;

struct StoreOptions {
    std::string data_dir;         ///< the store is its sub-folder `log`
    rocksdb::Env* env = nullptr;  ///< null: the system's
    Bytes cache{64_MiB};
    Bytes write_buffers{384_MiB};  ///< of all column families together, those being flushed included
    /// For repair: opens although parts of the write-ahead log are damaged, leaving them out.
    bool skip_damaged_wal = false;
    /// For repair: changes nothing in the folder.
    bool read_only = false;
};

/// `<data_dir>/log`.
[[nodiscard]] std::string store_dir(const std::string& data_dir);
/// Where repair builds the new store; there only while one is under way.
[[nodiscard]] std::string repair_dir(const std::string& data_dir);
/// A RocksDB status as a sentence that names the folder, the file where known, and what to do.
[[nodiscard]] Error explain(const rocksdb::Status& status, const std::string& data_dir);
/// Bytes the next open has to replay and write out again.
[[nodiscard]] std::uint64_t wal_bytes(const StoreOptions& options);
/// What every part of a store is opened with; repair needs it without opening.
[[nodiscard]] rocksdb::DBOptions db_options(const StoreOptions& options);
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> column_families(const StoreOptions& options);

/// One open RocksDB with the log's column families: `heads` (room id to head), `messages` (room and seq
/// to message), `dedup` (room, sender, id to seq) and the default one (the store's own record).
///
/// Thread: any. Owns the handles; the destructor closes without flushing, as a crash would.
/// Fails:  open() says in one sentence why: in use, damaged (and how to repair), another format, no space.
class Store {
public:
    static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] rocksdb::DB& db() const noexcept { return *db_; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* heads() const noexcept { return handles_[1]; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* messages() const noexcept { return handles_[2]; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* dedup() const noexcept { return handles_[3]; }
    /// The epoch of unknown rooms, given to each room when it is made.
    [[nodiscard]] Epoch epoch() const noexcept { return epoch_; }
    rocksdb::Status set_epoch(Epoch epoch);
    /// Above every number in use when the store was opened.
    [[nodiscard]] records::RoomNo next_room() const noexcept { return next_room_; }

    /// Writes the memtables out, so that the next open has nothing to replay.
    void flush();
    /// Rewrites everything, the lowest level too.
    void compact();

private:
    Store() = default;
    Result<> load(const StoreOptions& options, const Clock& clock);

    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    Epoch epoch_;
    records::RoomNo next_room_{1};
};

}  // namespace parley::log
