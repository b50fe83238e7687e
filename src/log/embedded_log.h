#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "log/listed_room.h"
#include "log/log_stats.h"
#include "log/room_log.h"

namespace rocksdb {
class Env;
}

namespace parley::log {

class CommitQueue;
class Committer;
class Store;
class Trimmer;
struct Pending;
struct StoreOptions;
struct Trim;
struct Pending;
struct Work;

struct EmbeddedLogOptions {
    std::string data_dir;  ///< the store is its sub-folder `log`
    /// One commit takes what waits, up to these.
    std::size_t commit_messages = 2000;
    Bytes commit_bytes{8_MiB};
    /// Appends waiting beyond this are refused at once.
    Bytes queue_limit{64_MiB};
    Bytes cache{64_MiB};                 ///< blocks, indexes and filters read from disk
    Bytes write_buffers{384_MiB};        ///< what is not in files yet; beyond it committing waits for the disk
    std::size_t cached_heads = 100'000;  ///< rooms the writer remembers
    /// Retention; 0 keeps for ever. The newest message that is too old or too much goes with all before it.
    milliseconds max_age{0};
    Bytes max_room_bytes{0};
    milliseconds trim_interval{30'000};
    /// Told on the log's thread when storing begins to fail (the reason), when the reason changes and when it
    /// works again (empty).
    UniqueFunction<void(const std::string& reason)> on_trouble;
    rocksdb::Env* env = nullptr;  ///< null: the system's
    bool sync = true;             ///< false loses acknowledged messages at a crash: for the test that shows it
};

/// The log in a RocksDB of its own: message, dedup key and room head in one atomic, fsynced batch.
///
/// Thread: any for every call. One thread of its own commits; while one commit is fsyncing the next gathers.
/// Owns:   the store's folder, alone: a second open() of it fails, also from another process.
/// Order:  as RoomLog. Requests are sequenced in the order append() got them.
/// Fails:  after a failed write nothing of that commit or behind it is acknowledged; the store is opened
///         anew (which settles what became of the write) as soon as the disk takes a probe, tried by the
///         first append after a back-off of 0.1 to 5 s. Reads go on meanwhile as far as the disk allows.
///         A refused append is answered inside append().
class EmbeddedLog final : public RoomLog {
public:
    /// Error: kStoreUnavailable with a sentence for the operator (in use, damaged and how to repair, format, disk).
    static Result<std::unique_ptr<EmbeddedLog>> open(EmbeddedLogOptions options, const Clock& clock);
    /// Commits what was accepted, then closes.
    ~EmbeddedLog() override;
    EmbeddedLog(const EmbeddedLog&) = delete;
    EmbeddedLog& operator=(const EmbeddedLog&) = delete;

    void append_all(std::vector<Append> appends) override;
    Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override;
    Result<Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override;
    Result<RoomHead> head(const RoomId& room) override;
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override;
    void on_commit(CommitListener listener) override;
    /// As ListRooms.
    Result<std::vector<ListedRoom>> rooms(const RoomId& after, WallTime since, std::size_t limit);

    [[nodiscard]] LogStats stats() const;
    /// Applies the retention limits to every room now, returning when done. Any thread but the log's.
    void trim_now();
    /// Rewrites the whole store, as background compaction does piece by piece; takes long. For measuring.
    void compact();

private:
    EmbeddedLog(EmbeddedLogOptions options, const Clock& clock, std::unique_ptr<Store> store);
    void run();
    void commit(Work& work);
    [[nodiscard]] Pending pending_of(Append append) const;
    void refuse(Work& work, const std::string& reason);
    void refuse(AppendDone& done, const std::string& reason);
    void begin_fault(const std::string& reason);
    bool recover();
    Result<> open_anew(const StoreOptions& options);
    bool recovery_is_due() const;
    void fault_lasts(const std::string& reason);

    EmbeddedLogOptions options_;
    const Clock& clock_;
    CommitListener listener_;
    LogCounters counters_;
    std::unique_ptr<CommitQueue> queue_;
    std::unique_ptr<Committer> committer_;

    /// Exclusive only while the store is opened anew; null when that failed.
    std::shared_mutex store_mutex_;
    std::atomic<bool> reopening_{false};
    std::unique_ptr<Store> store_;

    std::atomic<bool> faulted_{false};
    std::atomic<SteadyTime> next_try_{SteadyTime{}};
    milliseconds back_off_{0};
    std::string fault_;

    std::unique_ptr<Trimmer> trimmer_;
    std::thread writer_;
};

}  // namespace parley::log
