#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/function.h"
#include "base/result.h"

namespace rocksdb {
class DB;
class Env;
class Status;
}  // namespace rocksdb

namespace parley::store {

/// The most files that a directory keeps open.
inline constexpr int kOpenFiles = 256;

/// One change of a batch: a value to put, or nullopt to delete the key.
struct Change {
    std::string key;
    std::optional<std::string> value;
};

enum class Access : std::uint8_t { kReadWrite, kReadOnly };

/// A small ordered key-value store on RocksDB whose successes are on the disk.
///
/// Thread: any; blocks on the disk.
/// Order:  a batch is applied wholly or not at all, and has been fsynced when write() returns.
/// Fails:  kStoreUnavailable. After a failed write the store is tried again, at most once a second, with the next
///         write; it serves as soon as the disk does. A failed batch may or may not be there afterwards.
class Database {
public:
    /// `clock` and `env` (null: the real one) must outlive the Database. Says in plain words when the folder is in use,
    /// damaged or cannot be written.
    /// kReadOnly takes no lock: it shows the store of a running server as it is at this moment.
    static Result<std::unique_ptr<Database>> open(std::filesystem::path folder, const Clock& clock, rocksdb::Env* env,
                                                  Access access = Access::kReadWrite);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<std::optional<std::string>> get(const std::string& key);
    Result<> write(const std::vector<Change>& changes);
    /// Calls `visit` for each key that begins with `prefix` and is not below `from`, in order, until it says false.
    Result<> scan(const std::string& prefix, const std::string& from,
                  UniqueFunction<bool(std::string_view key, std::string_view value)> visit);

private:
    Database(std::filesystem::path folder, const Clock& clock, rocksdb::Env* env, Access access);
    Result<> open_now();
    Result<> recover();
    [[nodiscard]] bool disk_takes_writes() const;
    [[nodiscard]] Error unavailable(const rocksdb::Status& status) const;

    const std::filesystem::path folder_;
    const Clock& clock_;
    rocksdb::Env* const env_;
    const Access access_;
    std::shared_mutex mutex_;  ///< exclusive only to reopen
    std::unique_ptr<rocksdb::DB> db_;
    std::atomic<bool> broken_{false};
    SteadyTime next_attempt_{};  ///< under mutex_, exclusive
};

}  // namespace parley::store
