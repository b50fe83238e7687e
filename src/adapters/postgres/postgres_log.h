#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "adapters/postgres/log_reader.h"
#include "adapters/postgres/log_trimmer.h"
#include "adapters/postgres/pool.h"
#include "base/clock.h"
#include "log/commit_queue.h"
#include "log/log_stats.h"
#include "log/room_log.h"

namespace parley::postgres {

class Batch;

struct PostgresLogOptions {
    /// One batch takes what waits, up to these.
    std::size_t batch_messages = 2000;
    Bytes batch_bytes{8_MiB};
    /// Appends waiting beyond this are refused at once.
    Bytes queue_limit{64_MiB};
    /// How long a batch whose outcome is unknown, or that cannot be stored, is tried before its senders are refused.
    milliseconds settle_limit{5'000};
    LogTrimmer::Limits keep;
    /// Told on the log's thread when storing begins to fail (the reason), when the reason changes and when it works
    /// again (empty).
    UniqueFunction<void(const std::string& reason)> on_trouble;
};

/// The log that several servers share: the room's head and the messages change in one transaction, which gives the
/// seqs and drops repeats (batch.h).
///
/// Thread: any for every call. One thread of its own stores over a connection of its own; while one batch is being
///         stored the next gathers. Reads use the pool.
/// Order:  as RoomLog; requests are sequenced in the order append() got them. The commit listener hears what this
///         server stored; what others did is read.
/// Fails:  a batch whose outcome is unknown is settled by reading it back before anybody is told, tried again for
///         settle_limit, then it and what waits behind it are refused; from then on one append in 0.1 to 1 s tries
///         and the others are refused inside append(). kInvalidPayload for a draft that no column can hold, alone.
class PostgresLog final : public log::RoomLog {
public:
    /// `clock` must outlive it. The pool comes from open_database(). Error: no connection for the writer.
    static Result<std::unique_ptr<PostgresLog>> open(std::shared_ptr<Pool> pool, PostgresLogOptions options,
                                                     const Clock& clock);
    /// Stores what was accepted, then closes.
    ~PostgresLog() override;
    PostgresLog(const PostgresLog&) = delete;
    PostgresLog& operator=(const PostgresLog&) = delete;

    void append(log::AppendRequest request, log::AppendDone done) override;
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override;
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override;
    Result<log::RoomHead> head(const RoomId& room) override;
    Result<std::vector<log::RoomHead>> heads(std::span<const RoomId> rooms) override { return reader_.heads(rooms); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override;
    void on_commit(CommitListener listener) override { listener_ = std::move(listener); }

    [[nodiscard]] log::LogStats stats() const;

private:
    PostgresLog(std::shared_ptr<Pool> pool, PostgresLogOptions options, const Clock& clock,
                std::unique_ptr<Connection> connection);
    void run();
    void store(std::span<log::Pending> appends);
    Result<> try_to_store(Batch& batch);
    void tell(std::span<log::Pending> appends, Batch& batch);
    void refuse(std::span<log::Pending> appends, const Error& error);
    void refuse(log::AppendDone& done, const Error& error);
    void fault(const std::string& reason);
    void recovered();
    [[nodiscard]] bool may_try() const;

    const std::shared_ptr<Pool> pool_;
    PostgresLogOptions options_;
    const Clock& clock_;
    CommitListener listener_;
    log::LogCounters counters_;
    log::CommitQueue queue_;
    LogReader reader_;
    LogTrimmer trimmer_;

    std::unique_ptr<Connection> connection_;  ///< the writer's; null: to be opened
    std::atomic<bool> faulted_{false};
    std::atomic<Deadline> next_try_{Deadline{}};
    milliseconds back_off_{0};
    std::string fault_;
    std::thread writer_;
};

}  // namespace parley::postgres
