#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "log/room_log.h"

namespace parley::log {

/// Which topic a table's rows come from. Numbers derived from it hold for this shape only.
struct TopicShape {
    std::string cluster;  ///< the cluster's own id
    std::string topic;
    std::uint32_t partitions = 0;
    std::uint64_t dedup_window = 0;
    friend bool operator==(const TopicShape&, const TopicShape&) = default;
};

/// A counted message and where its record lies.
struct PlacedMessage {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    MessageRef message;
};

/// Everything before `next` is in the table.
struct Position {
    std::uint32_t partition = 0;
    std::uint64_t next = 0;
};

/// What a reader of a partition needs to go on at `next` as if it had read all before it.
struct Checkpoint {
    struct Head {
        RoomId room;
        RoomSeq head;
        WallTime last_created{};
    };
    struct Row {
        std::uint64_t offset = 0;
        RoomId room;
        MemberId sender;
        MessageId id;
        RoomSeq seq;
        WallTime created_at{};
    };
    std::uint64_t next = 0;
    std::vector<Head> heads;  ///< the partition's rooms as of `next`
    std::vector<Row> window;  ///< what counted within the window before `next`, in offset order
};

/// The messages of a topic in a store that can be asked by room: what a log whose own reads go by offset keeps old
/// messages in. Its writers are readers of the topic; every one derives the same rows.
///
/// Thread: any; every call may wait for the store.
/// Order:  a message's row and its partition's position change together.
/// Fails:  kStoreUnavailable, and what was being stored may be there or not: storing it again is safe.
class MessageTable {
public:
    virtual ~MessageTable() = default;

    /// Notes whose rows these are; the first to say it decides, and begins each partition at its `beginnings`.
    /// Error: kBadRequest, the table belongs to another topic, shape or kind of log.
    virtual Result<> claim(const TopicShape& shape, std::span<const Position> beginnings) = 0;
    /// One for each partition, in their order; none: the table has not been claimed.
    [[nodiscard]] virtual Result<std::vector<Position>> positions() = 0;
    [[nodiscard]] virtual Result<Checkpoint> checkpoint(std::uint32_t partition) = 0;

    /// `rows` in offset order for each partition, and the positions behind them: all or nothing. Rows and positions
    /// that are there already change nothing.
    /// Error: kInternal, another record is known under a row's (room, seq): somebody counts otherwise.
    virtual Result<> store(std::span<const PlacedMessage> rows, std::span<const Position> positions) = 0;

    /// As RoomLog's, for what is in the table.
    [[nodiscard]] virtual Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) = 0;
    [[nodiscard]] virtual Result<Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit,
                                                   Bytes max) = 0;
    [[nodiscard]] virtual Result<RoomHead> head(const RoomId& room) = 0;
    [[nodiscard]] virtual Result<RoomSeq> seek(const RoomId& room, WallTime time) = 0;
};

}  // namespace parley::log
