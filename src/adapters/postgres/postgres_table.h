#pragma once
#include <memory>

#include "adapters/postgres/log_reader.h"
#include "adapters/postgres/pool.h"
#include "log/message_table.h"

namespace parley::postgres {

/// The messages of a topic in the tables that log.kind=store has them in, with the place of each record, and how far
/// each partition has come.
///
/// Thread: any. Shares the pool.
/// Order:  as MessageTable. Several servers may store one partition's rows at the same time: the partition's position
///         is locked first.
/// Fails:  as Pool does. Whether a batch was stored is then unknown; storing it again settles it.
class PostgresTable final : public log::MessageTable {
public:
    explicit PostgresTable(std::shared_ptr<Pool> pool) : pool_(std::move(pool)), reader_(pool_) {}

    Result<> claim(const log::TopicShape& shape, std::span<const log::Position> beginnings) override;
    Result<std::vector<log::Position>> positions() override;
    Result<log::Checkpoint> checkpoint(std::uint32_t partition) override;
    Result<> store(std::span<const log::PlacedMessage> rows, std::span<const log::Position> positions) override;
    Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override {
        return reader_.read(room, after, limit, max);
    }
    Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override {
        return reader_.read_before(room, before, limit, max);
    }
    Result<log::RoomHead> head(const RoomId& room) override { return reader_.head(room); }
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override { return reader_.seek(room, time); }

private:
    const std::shared_ptr<Pool> pool_;
    const LogReader reader_;
};

}  // namespace parley::postgres
