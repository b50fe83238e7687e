#include "log/store.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "rocks/explain.h"
#include "rocks/notes.h"
#include "rocks/open_files.h"

namespace parley::log {
namespace {

constexpr std::string_view kStoreKey = "store";

/// RocksDB may get over what does not stop writes (a compaction without space) by itself. After a failed
/// write the log reopens the store instead: an unknown outcome is settled by replay, as after a crash.
class SoftRecoveryOnly final : public rocksdb::EventListener {
public:
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status error,
                              bool* automatic) override {
        *automatic = error.severity() <= rocksdb::Status::Severity::kSoftError;
    }
};

rocksdb::BlockBasedTableOptions table(const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions out;
    out.block_cache = cache;
    out.cache_index_and_filter_blocks = true;
    out.cache_index_and_filter_blocks_with_high_priority = true;
    out.pin_l0_filter_and_index_blocks_in_cache = true;
    out.format_version = 5;
    return out;
}

void use_bloom(rocksdb::BlockBasedTableOptions& table) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
    // Filters of a large store do not fit the cache as one block per file: in 4 KiB parts they do.
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.pin_top_level_index_and_filter = true;
}

constexpr std::size_t kAnyRoomId = 1024;  ///< longer than any

rocksdb::ColumnFamilyOptions column(std::size_t write_buffer) {
    rocksdb::ColumnFamilyOptions out;
    out.write_buffer_size = write_buffer;
    out.max_write_buffer_number = 6;
    out.level_compaction_dynamic_level_bytes = true;
    out.compression = rocksdb::kLZ4Compression;
    // Writers are slowed down and stopped far beyond what a compaction that lags needs to catch up.
    out.level0_file_num_compaction_trigger = 4;
    out.level0_slowdown_writes_trigger = 60;
    out.level0_stop_writes_trigger = 120;
    out.soft_pending_compaction_bytes_limit = (256_GiB).count;
    out.hard_pending_compaction_bytes_limit = (1024_GiB).count;
    // Trimmed prefixes are dense runs of tombstones: such a file is compacted early, which frees its space.
    out.table_properties_collector_factories.push_back(rocksdb::NewCompactOnDeletionCollectorFactory(4096, 2048));
    return out;
}

/// Without CURRENT RocksDB would begin an empty store beside the old files.
bool lost_current(const std::string& dir, rocksdb::Env& env) {
    if (env.FileExists(dir + "/CURRENT").ok()) return false;
    std::vector<std::string> files;
    if (!env.GetChildren(dir, &files).ok()) return false;
    return std::any_of(files.begin(), files.end(), [](const std::string& file) {
        return file.ends_with(".sst") || file.ends_with(".log") || file.starts_with("MANIFEST-");
    });
}

}  // namespace

std::string store_dir(const std::string& data_dir) { return data_dir + "/log"; }

std::string repair_dir(const std::string& data_dir) { return data_dir + "/log.repair"; }

std::uint64_t wal_bytes(const StoreOptions& options) {
    std::vector<rocksdb::Env::FileAttributes> files;
    auto* env = db_options(options).env;
    if (!env->GetChildrenFileAttributes(store_dir(options.data_dir), &files).ok()) return 0;
    std::uint64_t sum = 0;
    for (const auto& file : files)
        if (file.name.ends_with(".log")) sum += file.size_bytes;
    return sum;
}

Error explain(const rocksdb::Status& status, const std::string& data_dir) {
    return rocks::explain(status, "the message store " + store_dir(data_dir),
                          "; run: parley repair --data-dir " + data_dir);
}

rocksdb::DBOptions db_options(const StoreOptions& options) {
    rocksdb::DBOptions out;
    if (options.env != nullptr) out.env = options.env;
    out.create_if_missing = true;
    out.create_missing_column_families = true;
    out.paranoid_checks = true;
    // A kill or power cut leaves an incomplete record at the end of the last log: that one was never
    // acknowledged and is dropped. Anything wrong before the end stops the start, because what follows
    // was acknowledged (kPointInTimeRecovery would drop it silently, kAbsoluteConsistency would refuse
    // every start after a kill). Logs that are missing or shorter than they were when closed are found too.
    out.wal_recovery_mode = options.skip_damaged_wal ? rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords
                                                     : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    out.track_and_verify_wals_in_manifest = !options.skip_damaged_wal;
    // What a start after a kill replays, about 10 ms of CPU for each MiB. Less means more and smaller flushes.
    out.max_total_wal_size = (96_MiB).count;
    out.write_buffer_manager =
        std::make_shared<rocksdb::WriteBufferManager>(options.write_buffers.count, nullptr, true);
    out.listeners.push_back(std::make_shared<SoftRecoveryOnly>());

    out.max_background_jobs = static_cast<int>(std::clamp(std::thread::hardware_concurrency() / 2, 2U, 6U));
    // Flush and compaction reach the disk in small steps, or a sender's fsync would wait behind all of it.
    out.bytes_per_sync = (512_KiB).count;
    out.rate_limiter.reset(rocksdb::NewGenericRateLimiter(static_cast<std::int64_t>((256_MiB).count), 10'000, 10,
                                                          rocksdb::RateLimiter::Mode::kWritesOnly, true));
    out.avoid_unnecessary_blocking_io = true;
    out.max_open_files = rocks::open_files(kOpenFiles);
    out.skip_stats_update_on_db_open = true;
    // One thread writes.
    out.allow_concurrent_memtable_write = false;
    out.enable_write_thread_adaptive_yield = false;

    out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    out.info_log = std::make_shared<rocks::Notes>("log");
    out.stats_dump_period_sec = 0;
    out.stats_persist_period_sec = 0;
    return out;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families(const StoreOptions& options) {
    const auto cache = rocksdb::NewLRUCache(options.cache.count, -1, false, 0.5);

    auto own = column((1_MiB).count);
    own.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table(cache)));

    auto heads = column(options.write_buffers.count / 48);
    auto heads_table = table(cache);
    use_bloom(heads_table);
    // A busy room's head is written again and again: each beside the one before.
    heads.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(kAnyRoomId));
    heads.table_factory.reset(rocksdb::NewBlockBasedTableFactory(heads_table));

    auto messages = column(options.write_buffers.count / 6);
    auto messages_table = table(cache);  // read by range only: no filter
    messages_table.block_size = (16_KiB).count;
    messages_table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    messages_table.pin_top_level_index_and_filter = true;
    messages.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(8));  // the room
    messages.table_factory.reset(rocksdb::NewBlockBasedTableFactory(messages_table));

    auto dedup = column(options.write_buffers.count / 12);
    auto dedup_table = table(cache);
    use_bloom(dedup_table);
    dedup.table_factory.reset(rocksdb::NewBlockBasedTableFactory(dedup_table));
    dedup.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(0));
    dedup.memtable_prefix_bloom_size_ratio = 0.05;
    dedup.memtable_whole_key_filtering = true;

    return {{rocksdb::kDefaultColumnFamilyName, own}, {"heads", heads}, {"messages", messages}, {"dedup", dedup}};
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock) {
    std::unique_ptr<Store> store{new Store};
    if (auto loaded = store->load(options, clock); !loaded) return fail(std::move(loaded.error()));
    return store;
}

Result<> Store::load(const StoreOptions& options, const Clock& clock) {
    const std::string dir = store_dir(options.data_dir);
    rocksdb::DBOptions settings = db_options(options);
    settings.env->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW);
    if (lost_current(dir, *settings.env))
        return fail(explain(rocksdb::Status::Corruption("CURRENT is missing"), options.data_dir));
    if (settings.env->FileExists(repair_dir(options.data_dir)).ok())
        return fail(Code::kStoreUnavailable,
                    fmt::format("a repair of the message store {} did not end; run: parley repair --data-dir {}", dir,
                                options.data_dir));
    std::error_code error;
    if (!options.read_only) std::filesystem::create_directories(options.data_dir, error);
    if (error) return fail(Code::kStoreUnavailable, "the folder " + options.data_dir + ": " + error.message());

    const auto notes = std::make_shared<rocks::Notes>("log");
    settings.info_log = notes;
    rocksdb::DB* db = nullptr;
    auto status = options.read_only
                      ? rocksdb::DB::OpenForReadOnly(settings, dir, column_families(options), &handles_, &db)
                      : rocksdb::DB::Open(settings, dir, column_families(options), &handles_, &db);
    if (const auto file = notes->damaged(); status.IsCorruption() && !file.empty())
        status = rocksdb::Status::Corruption(file, status.ToString());
    if (!status.ok()) return fail(explain(status, options.data_dir));
    db_.reset(db);

    const std::unique_ptr<rocksdb::Iterator> last{db_->NewIterator({}, messages())};
    last->SeekToLast();
    if (!last->status().ok() && !options.read_only) return fail(explain(last->status(), options.data_dir));
    const bool empty = !last->Valid();
    if (!empty) {
        const auto key = records::parse_message_key(last->key().ToStringView());
        if (!key) return fail(key.error());
        next_room_ = {key->room.value + 1};
    }

    std::string record;
    const rocksdb::Slice key{kStoreKey.data(), kStoreKey.size()};
    status = db_->Get({}, key, &record);
    if (status.ok()) {
        const auto epoch = records::decode_store(record);
        if (!epoch) return fail(epoch.error());
        epoch_ = *epoch;
        return {};
    }
    if (!status.IsNotFound()) return fail(explain(status, options.data_dir));
    if (!empty && !options.skip_damaged_wal)
        return fail(explain(rocksdb::Status::Corruption("the store's own record is missing"), options.data_dir));
    if (options.read_only) return {};
    status = set_epoch({static_cast<std::uint64_t>(clock.wall().time_since_epoch().count())});
    if (!status.ok()) return fail(explain(status, options.data_dir));
    return {};
}

rocksdb::Status Store::set_epoch(Epoch epoch) {
    rocksdb::WriteOptions durable;
    durable.sync = true;
    epoch_ = epoch;
    return db_->Put(durable, {kStoreKey.data(), kStoreKey.size()}, records::encode_store(epoch));
}

Store::~Store() {
    if (!db_) return;
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    db_->Close().PermitUncheckedError();
}

void Store::compact() {
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    for (auto* family : handles_) db_->CompactRange(options, family, nullptr, nullptr).PermitUncheckedError();
}

void Store::flush() { db_->Flush(rocksdb::FlushOptions{}, handles_).PermitUncheckedError(); }

}  // namespace parley::log
