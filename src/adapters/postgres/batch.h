#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/postgres/connection.h"
#include "log/batch_writer.h"

namespace parley::postgres {

/// Brings what waits into the tables in one transaction: rooms locked in byte order, repeats found, seqs given, rows
/// inserted. Two round trips for any number of rooms and messages.
///
/// Thread: the log's writer. Borrows the work, which must stay as it is until the outcome has been taken.
/// Order:  appends are sequenced as they lie in the work.
/// Fails:  as Connection. Whether the messages were stored is then unknown; store() again settles it: once it has the
///         rooms' locks the transaction before has ended, and what it stored is found by its key and kept as ours.
class Batch {
public:
    explicit Batch(std::span<log::Pending> appends);

    /// Over a connection that stands outside a transaction.
    Result<> store(Connection& connection, WallTime now, Deadline deadline);
    /// After store() succeeded, once: moves the drafts into messages.
    [[nodiscard]] log::BatchTry::Outcome take();

private:
    struct Room {
        std::uint64_t no = 0;
        RoomSeq head;
        WallTime last_created;
        std::uint64_t added_bytes = 0;
        bool changed = false;
    };
    enum class State : std::uint8_t { kUnknown, kNew, kRepeat };
    struct Entry {
        const RoomId* room;
        const Draft* draft;
        State state = State::kUnknown;
        bool add = false;  ///< its row has to be inserted
        RoomSeq seq;
        WallTime created_at;
    };
    struct Seen {
        RoomSeq seq;
        WallTime created_at;
    };
    using Rooms = std::map<std::string_view, Room>;  ///< in byte order

    Result<> lock_and_look(Connection& connection, Deadline deadline);
    void sequence(WallTime now);
    Result<> insert_and_commit(Connection& connection, Deadline deadline);
    [[nodiscard]] std::string key(const Entry& entry) const;

    std::span<log::Pending> appends_;
    std::vector<Entry> entries_;  ///< all drafts, in order
    Rooms rooms_;
    bool tried_ = false;                          ///< to commit
    std::unordered_map<std::string, Seen> seen_;  ///< by key(): what the tables have
};

}  // namespace parley::postgres
