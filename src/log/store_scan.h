#pragma once
#include <functional>
#include <map>
#include <optional>

#include "log/store.h"

namespace parley::log {

/// One room as far as it can be read.
struct ScannedRoom {
    RoomId id;                           ///< empty: neither head nor name card is readable
    std::optional<records::Head> known;  ///< its head record
    RoomSeq first{1};                    ///< readable without a hole: first … head
    RoomSeq head{0};
    WallTime last_created{};
    std::uint64_t bytes = 0;

    [[nodiscard]] bool whole() const { return known && !id.empty() && first == known->first && head == known->head; }
};

/// Goes through a store that may have unreadable places, room by room.
/// Thread: one. Borrows the store. Fails: never; what cannot be read is missing from what it reports.
class StoreScan {
public:
    explicit StoreScan(const Store& store);

    /// Calls `message` for each readable message of a room and then `room`, in room number order.
    using OnMessage = std::function<void(records::RoomNo, RoomSeq, rocksdb::Slice record, const Message&)>;
    using OnRoom = std::function<void(records::RoomNo, const ScannedRoom&)>;
    void run(const OnMessage& message, const OnRoom& room);
    /// True: some bytes could not be read or understood, in the messages or beside them.
    [[nodiscard]] bool unreadable() const noexcept { return unreadable_; }
    /// True: there may have been rooms that are not reported.
    [[nodiscard]] bool heads_unreadable() const noexcept { return heads_unreadable_; }
    [[nodiscard]] Epoch newest_epoch() const noexcept { return newest_epoch_; }

private:
    void load_heads();
    void check_dedup(std::uint64_t messages);
    std::optional<records::RoomNo> next_room(records::RoomNo from);
    ScannedRoom scan(records::RoomNo no, const OnMessage& message);
    RoomSeq first_readable(records::RoomNo no, RoomSeq from, RoomSeq to);
    bool seek(records::RoomNo no, RoomSeq seq);

    const Store& store_;
    std::unique_ptr<rocksdb::Iterator> at_;
    std::map<std::uint64_t, std::pair<RoomId, records::Head>> heads_;
    Epoch newest_epoch_;
    bool unreadable_ = false;
    bool heads_unreadable_ = false;
};

}  // namespace parley::log
