#pragma once
#include <memory>

#include "adapters/mongo/batch.h"
#include "adapters/mongo/log_reader.h"
#include "adapters/mongo/log_trimmer.h"
#include "adapters/mongo/pool.h"
#include "base/clock.h"
#include "log/batch_writer.h"
#include "log/room_log.h"

namespace parley::mongo {

struct MongoLogOptions {
    log::BatchWriter::Options writer;
    LogTrimmer::Limits keep;
};

/// The log that several servers share: messages lie in blocks, each inserted where the room ends, once (batch.h).
///
/// Thread: any for every call. The writer's thread stores over a connection of its own. Reads use the pool.
/// Order:  as RoomLog; requests are sequenced in the order append() got them. The commit listener hears what this
///         server stored; what others did is read.
/// Fails:  as log::BatchWriter: a batch whose outcome is unknown is settled by reading it back before anybody is told.
///         kInvalidPayload for a text that is not UTF-8 and a request that no document can hold (14 MiB), alone.
class MongoLog final : public log::RoomLog {
public:
    /// `clock` must outlive it. The pool comes from open_database(). Error: no connection.
    static Result<std::unique_ptr<MongoLog>> open(std::shared_ptr<Pool> pool, MongoLogOptions options,
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
    MongoLog(std::shared_ptr<Pool> pool, Epoch epoch, MongoLogOptions options, const Clock& clock,
             std::unique_ptr<Connection> connection);

    const std::shared_ptr<Pool> pool_;
    LogReader reader_;
    LogTrimmer trimmer_;
    Writer kept_;
    log::BatchWriter writer_;
};

}  // namespace parley::mongo
