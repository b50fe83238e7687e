#include "store/database.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <mutex>

#include "rocks/explain.h"
#include "rocks/notes.h"
#include "rocks/open_files.h"

namespace parley::store {
namespace {

constexpr seconds kRetryEvery{1};

rocksdb::Options make_options(rocksdb::Env* env) {
    rocksdb::Options options;
    options.create_if_missing = true;
    if (env != nullptr) options.env = env;
    // A torn last record is a crash; anything else that does not check is damage, and is told, not skipped.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.write_buffer_size = 4 << 20;  // two of them, and RocksDB's own 8 MiB of cache, is all it holds
    options.max_open_files = rocks::open_files(kOpenFiles);
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.info_log = std::make_shared<rocks::Notes>("directory");
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    return options;
}

}  // namespace

Database::Database(std::filesystem::path folder, const Clock& clock, rocksdb::Env* env, Access access)
    : folder_(std::move(folder)), clock_(clock), env_(env), access_(access) {}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(std::filesystem::path folder, const Clock& clock, rocksdb::Env* env,
                                                 Access access) {
    std::error_code error;
    if (access == Access::kReadWrite) std::filesystem::create_directories(folder, error);
    if (error) return fail(Code::kStoreUnavailable, "cannot make " + folder.string() + ": " + error.message());
    if (access == Access::kReadOnly && !std::filesystem::exists(folder / "CURRENT", error)) {
        return fail(Code::kStoreUnavailable, "there is no directory in " + folder.string());
    }
    std::unique_ptr<Database> database{new Database(std::move(folder), clock, env, access)};
    if (auto opened = database->open_now(); !opened) return fail(opened.error());
    return database;
}

Result<> Database::open_now() {
    rocksdb::DB* db = nullptr;
    const rocksdb::Options options = make_options(env_);
    const rocksdb::Status status = access_ == Access::kReadOnly
                                       ? rocksdb::DB::OpenForReadOnly(options, folder_.string(), &db)
                                       : rocksdb::DB::Open(options, folder_.string(), &db);
    if (!status.ok()) return fail(unavailable(status));
    db_.reset(db);
    return {};
}

Error Database::unavailable(const rocksdb::Status& status) const {
    return rocks::explain(status, "the directory in " + folder_.string());
}

Result<std::optional<std::string>> Database::get(const std::string& key) {
    const std::shared_lock lock{mutex_};
    if (!db_) return fail(Code::kStoreUnavailable, "the directory in " + folder_.string() + " is closed");
    std::string value;
    const rocksdb::Status status = db_->Get({}, key, &value);
    if (status.IsNotFound()) return std::optional<std::string>{};
    if (!status.ok()) return fail(unavailable(status));
    return std::optional{std::move(value)};
}

Result<> Database::write(const std::vector<Change>& changes) {
    if (access_ == Access::kReadOnly) {
        return fail(Code::kStoreUnavailable, "the directory in " + folder_.string() + " was opened for reading only");
    }
    if (broken_) {
        if (auto recovered = recover(); !recovered) return recovered;
    }
    rocksdb::WriteBatch batch;
    for (const Change& change : changes) {
        if (change.value) {
            batch.Put(change.key, *change.value);
        } else {
            batch.Delete(change.key);
        }
    }
    rocksdb::WriteOptions durable;
    durable.sync = true;
    const std::shared_lock lock{mutex_};
    if (!db_) return fail(Code::kStoreUnavailable, "the directory in " + folder_.string() + " is closed");
    const rocksdb::Status status = db_->Write(durable, &batch);
    if (status.ok()) return {};
    broken_ = true;
    return fail(unavailable(status));
}

/// RocksDB refuses writes for good after a failed one; Resume() takes back some of these states, reopening all. The
/// store is closed only once the disk takes writes again, so that reading goes on until then.
Result<> Database::recover() {
    const std::unique_lock lock{mutex_};
    if (!broken_) return {};
    if (clock_.steady() < next_attempt_) {
        return fail(Code::kStoreUnavailable, "the directory in " + folder_.string() + " waits for its disk");
    }
    next_attempt_ = clock_.steady() + kRetryEvery;
    if (!disk_takes_writes()) {
        return fail(Code::kStoreUnavailable, "the disk of " + folder_.string() + " takes no writes");
    }
    if (!db_ || !db_->Resume().ok()) {
        db_.reset();
        if (auto opened = open_now(); !opened) return opened;
    }
    broken_ = false;
    return {};
}

bool Database::disk_takes_writes() const {
    rocksdb::Env* const env = env_ != nullptr ? env_ : rocksdb::Env::Default();
    const std::string name = (folder_ / "probe.tmp").string();
    std::unique_ptr<rocksdb::WritableFile> file;
    const bool written = env->NewWritableFile(name, &file, {}).ok() && file->Append(std::string(4096, 'x')).ok() &&
                         file->Sync().ok() && file->Close().ok();
    file.reset();
    static_cast<void>(env->DeleteFile(name));
    return written;
}

Result<> Database::scan(const std::string& prefix, const std::string& from,
                        UniqueFunction<bool(std::string_view, std::string_view)> visit) {
    const std::shared_lock lock{mutex_};
    if (!db_) return fail(Code::kStoreUnavailable, "the directory in " + folder_.string() + " is closed");
    const std::unique_ptr<rocksdb::Iterator> it{db_->NewIterator({})};
    for (it->Seek(std::max(prefix, from)); it->Valid() && it->key().starts_with(prefix); it->Next()) {
        if (!visit(it->key().ToStringView(), it->value().ToStringView())) return {};
    }
    if (!it->status().ok()) return fail(unavailable(it->status()));
    return {};
}

}  // namespace parley::store
