#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "log/message_table.h"

namespace rocksdb {
class DB;
class Iterator;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace parley::log {

/// The table in a RocksDB of its own, `<data_dir>/topic`: for one server, which then needs nothing but its topic.
///
/// Thread: any; one stores at a time. Owns the folder, alone.
/// Order:  as MessageTable. What is stored is not fsynced: after a power cut rows and position are those of a moment
///         before, and the topic has the rest.
/// Fails:  open() says in one sentence why. Storing works again once the disk does.
class EmbeddedTable final : public MessageTable {
public:
    static Result<std::unique_ptr<EmbeddedTable>> open(const std::string& data_dir, const Clock& clock);
    /// As it is at this moment, whether a server is running on it or not. Stores nothing.
    static Result<std::unique_ptr<EmbeddedTable>> open_read_only(const std::string& data_dir, const Clock& clock);
    ~EmbeddedTable() override;
    EmbeddedTable(const EmbeddedTable&) = delete;
    EmbeddedTable& operator=(const EmbeddedTable&) = delete;

    Result<> claim(const TopicShape& shape, std::span<const Position> beginnings) override;
    Result<std::vector<Position>> positions() override;
    Result<Checkpoint> checkpoint(std::uint32_t partition) override;
    Result<> store(std::span<const PlacedMessage> rows, std::span<const Position> positions) override;
    Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) override;
    Result<Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) override;
    Result<RoomHead> head(const RoomId& room) override;
    Result<RoomSeq> seek(const RoomId& room, WallTime time) override;

private:
    EmbeddedTable(std::string folder, const Clock& clock);
    Result<> load(bool read_only);
    Result<> add_row(rocksdb::WriteBatch& batch, const PlacedMessage& row);
    Result<> move_position(rocksdb::WriteBatch& batch, const Position& position);
    Result<> write(rocksdb::WriteBatch& batch);
    Result<Message> message_at(const RoomId& room, RoomSeq seq);
    [[nodiscard]] RoomSeq head_of(rocksdb::Iterator& rows, const RoomId& room) const;
    [[nodiscard]] Error unavailable(const rocksdb::Status& status) const;

    const std::string folder_;
    const Clock& clock_;
    std::mutex writing_;
    std::unique_ptr<rocksdb::DB> db_;
    Epoch epoch_;
    std::optional<TopicShape> shape_;
};

}  // namespace parley::log
