#pragma once
#include <memory>

#include "adapters/postgres/pool.h"
#include "log/listed_room.h"
#include "log/room_log.h"

namespace parley::postgres {

/// RoomLog's questions, each one statement: what it answers was true at one moment.
/// Thread: any. Owns the pool, together with others. Fails as Pool does, and for a row of a later format.
class LogReader {
public:
    explicit LogReader(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

    [[nodiscard]] Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const;
    [[nodiscard]] Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const;
    [[nodiscard]] Result<log::RoomHead> head(const RoomId& room) const;
    [[nodiscard]] Result<std::vector<log::RoomHead>> heads(std::span<const RoomId> rooms) const;
    [[nodiscard]] Result<RoomSeq> seek(const RoomId& room, WallTime time) const;
    /// As log::ListRooms.
    [[nodiscard]] Result<std::vector<log::ListedRoom>> rooms(const RoomId& after, WallTime since,
                                                             std::size_t limit) const;

private:
    [[nodiscard]] Result<log::Page> page(const Statement& statement, const RoomId& room, RoomSeq from,
                                         std::size_t limit, Bytes max) const;
    std::shared_ptr<Pool> pool_;
};

}  // namespace parley::postgres
