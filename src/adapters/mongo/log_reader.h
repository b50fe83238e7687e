#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/mongo/heads.h"
#include "adapters/mongo/pool.h"
#include "log/listed_room.h"
#include "log/room_log.h"

namespace parley::mongo {

/// RoomLog's questions: where the room stands first, then blocks up to there. What is trimmed meanwhile makes it ask
/// again, so that a page has no hole.
/// Thread: any. Owns the pool, together with others. Fails as Pool does, and for a document of a later format.
class LogReader {
public:
    LogReader(std::shared_ptr<Pool> pool, Epoch epoch) : pool_(std::move(pool)), epoch_(epoch) {}

    [[nodiscard]] Result<log::Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const;
    [[nodiscard]] Result<log::Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const;
    [[nodiscard]] Result<log::RoomHead> head(const RoomId& room) const;
    [[nodiscard]] Result<std::vector<log::RoomHead>> heads(std::span<const RoomId> rooms) const;
    [[nodiscard]] Result<RoomSeq> seek(const RoomId& room, WallTime time) const;
    /// As log::ListRooms, but for a message that its server had no time to note (heads.h) until somebody reads the
    /// room.
    [[nodiscard]] Result<std::vector<log::ListedRoom>> rooms(const RoomId& after, WallTime since,
                                                             std::size_t limit) const;

private:
    /// Seqs `from` up to, not including, `to`, in the order asked for, at most `limit` and about `max` bytes.
    struct Range {
        RoomSeq from;
        RoomSeq to;
        bool newest_first;
        std::size_t limit;
        std::uint64_t max;
    };
    [[nodiscard]] Result<log::Page> page(const RoomId& room, Range wanted) const;
    [[nodiscard]] Result<std::vector<MessageRef>> messages(Connection& connection, const RoomId& room,
                                                           const Range& wanted) const;
    /// The block with `seq` in it. None: it has been trimmed.
    [[nodiscard]] static Result<std::vector<Document>> block_with(Connection& connection, const std::string& room,
                                                                  RoomSeq seq, const Document& fields);

    std::shared_ptr<Pool> pool_;
    Epoch epoch_;
};

}  // namespace parley::mongo
