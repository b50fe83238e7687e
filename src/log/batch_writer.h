#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "log/commit_queue.h"
#include "log/log_stats.h"
#include "log/room_log.h"

namespace parley::log {

/// What waits, on its way into a store outside the process. Lives as long as the drafts it was made for stay as they
/// are. Thread: the writer's.
class BatchTry {
public:
    struct Outcome {
        std::vector<MessageRef> messages;  ///< new ones, each room's in seq order
        /// One per append; empty: it is not stored, or that is unknown.
        std::vector<std::vector<Appended>> answers;
        std::size_t repeats = 0;
    };

    virtual ~BatchTry() = default;
    /// Error: something is not stored, or that is unknown; the next call settles it. kInvalidPayload: nothing is, and
    /// one of the drafts is at fault.
    virtual Result<> store(WallTime now, std::chrono::steady_clock::time_point deadline) = 0;
    /// After the last store(), once: moves the drafts into messages.
    [[nodiscard]] virtual Outcome take() = 0;
};

/// What RoomLogs over a database have in common: while one batch is being stored the next gathers.
///
/// Thread: append_all() from any. One thread of its own stores; it calls the listener, the answers and on_trouble.
/// Order:  requests are stored in the order append_all() got them.
/// Fails:  a batch that cannot be stored, or whose outcome is unknown, is tried for settle_limit, then what is not
///         stored of it and what waits behind it are refused; from then on one append in 0.1 to 1 s tries and the
///         others are refused inside append_all(). A draft that no store can hold is refused alone (kInvalidPayload).
class BatchWriter {
public:
    struct Options {
        /// One batch takes what waits, up to these.
        std::size_t batch_messages = 2000;
        Bytes batch_bytes{8_MiB};
        /// Appends waiting beyond this are refused at once.
        Bytes queue_limit{64_MiB};
        /// How long a batch whose outcome is unknown, or that cannot be stored, is tried.
        milliseconds settle_limit{5'000};
        /// Told when storing begins to fail (the reason), when the reason changes and when it works again (empty).
        UniqueFunction<void(const std::string& reason)> on_trouble;
    };
    /// Why the store can never hold it; null: it can.
    using Problem = const char* (*)(const AppendRequest&);
    using Begin = UniqueFunction<std::unique_ptr<BatchTry>(std::span<Pending>)>;

    /// `clock` must outlive it.
    BatchWriter(Options options, const Clock& clock, Problem problem, Begin begin);
    /// Stores what was accepted.
    ~BatchWriter();
    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;

    /// As RoomLog::append_all().
    void append_all(std::vector<Append> appends);
    /// Before the first append.
    void on_commit(RoomLog::CommitListener listener) { listener_ = std::move(listener); }
    [[nodiscard]] LogStats stats() const;

private:
    using Deadline = std::chrono::steady_clock::time_point;

    void run();
    void store(std::span<Pending> appends);
    Result<> try_to_store(BatchTry& batch);
    void tell(std::span<Pending> appends, BatchTry& batch, const Result<>& stored);
    void refuse(std::span<Pending> appends, const Error& error);
    void refuse(AppendDone& done, const Error& error);
    [[nodiscard]] Pending pending_of(Append append) const;
    void fault(const std::string& reason);
    void recovered();
    [[nodiscard]] bool may_try() const;

    Options options_;
    const Clock& clock_;
    const Problem problem_;
    Begin begin_;
    RoomLog::CommitListener listener_;
    LogCounters counters_;
    CommitQueue queue_;
    std::atomic<bool> faulted_{false};
    std::atomic<Deadline> next_try_{Deadline{}};
    milliseconds back_off_{0};
    std::string fault_;
    std::thread thread_;
};

}  // namespace parley::log
