#pragma once
#include <memory>

#include "adapters/postgres/log_reader.h"
#include "adapters/postgres/log_trimmer.h"
#include "adapters/postgres/pool.h"
#include "base/clock.h"
#include "log/batch_writer.h"
#include "log/room_log.h"

namespace parley::postgres {

struct PostgresLogOptions {
    log::BatchWriter::Options writer;
    LogTrimmer::Limits keep;
};

/// The log that several servers share: the room's head and the messages change in one transaction, which gives the
/// seqs and drops repeats (batch.h).
///
/// Thread: any for every call. The writer's thread stores over a connection of its own. Reads use the pool.
/// Order:  as RoomLog; requests are sequenced in the order append() got them. The commit listener hears what this
///         server stored; what others did is read.
/// Fails:  as log::BatchWriter: a batch whose outcome is unknown is settled by reading it back before anybody is told.
///         kInvalidPayload for a draft that no column can hold, alone.
class PostgresLog final : public log::RoomLog {
public:
    /// `clock` must outlive it. The pool comes from open_database(). Error: no connection for the writer.
    static Result<std::unique_ptr<PostgresLog>> open(std::shared_ptr<Pool> pool, PostgresLogOptions options,
                                                     const Clock& clock);

    void append_all(std::vector<log::Append> appends) override { writer_.append_all(std::move(appends)); }
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override;
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override;
    Result<log::RoomHead> head(const RoomId& room) override;
    Result<std::vector<log::RoomHead>> heads(std::span<const RoomId> rooms) override { return reader_.heads(rooms); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override;
    void on_commit(CommitListener listener) override { writer_.on_commit(std::move(listener)); }

    [[nodiscard]] log::LogStats stats() const { return writer_.stats(); }

private:
    class Try;

    PostgresLog(std::shared_ptr<Pool> pool, PostgresLogOptions options, const Clock& clock,
                std::unique_ptr<Connection> connection);

    const std::shared_ptr<Pool> pool_;
    LogReader reader_;
    LogTrimmer trimmer_;
    std::unique_ptr<Connection> connection_;  ///< the writer's; null: to be opened
    log::BatchWriter writer_;
};

}  // namespace parley::postgres
