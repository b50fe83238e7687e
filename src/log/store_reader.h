#pragma once
#include "log/listed_room.h"
#include "log/room_log.h"
#include "log/store.h"

namespace parley::log {

/// RoomLog's reads over one open store. Thread: any; each call sees one state of the store.
/// Fails: a hole or an unreadable record among what should be kept is kStoreUnavailable, never left out.
class StoreReader {
public:
    explicit StoreReader(const Store& store) : store_(store) {}

    Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const;
    Result<Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const;
    Result<RoomHead> head(const RoomId& room) const;
    Result<RoomSeq> seek(const RoomId& room, WallTime time) const;
    /// As ListRooms.
    Result<std::vector<ListedRoom>> rooms(const RoomId& after, WallTime since, std::size_t limit) const;

    /// `made` false: the room is unknown, the rest as for an empty one.
    struct Found {
        records::Head head;
        bool made = false;
    };
    Result<Found> find(const rocksdb::ReadOptions& options, const RoomId& room) const;

private:
    Result<WallTime> created_at(const rocksdb::ReadOptions& options, records::RoomNo room, RoomSeq seq) const;

    const Store& store_;
};

}  // namespace parley::log
