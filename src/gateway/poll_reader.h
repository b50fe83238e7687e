#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/poll_cursor.h"
#include "gateway/rest_judge.h"
#include "log/room_log.h"
#include "store/directory.h"

namespace parley::gateway {

/// What a poll asks: a room from a position on, or all rooms of its member. Without a position: where they stand now.
struct PollQuestion {
    MemberId member;
    std::optional<RoomId> room;
    std::optional<RoomSeq> after;        ///< of the room
    std::optional<std::uint64_t> epoch;  ///< of `after`, where the client said it
    std::optional<PollPlaces> places;    ///< of all rooms
    bool auto_create = true;
};

/// What there is for it.
struct PollAnswer {
    std::string json;           ///< the messages as members of an array, without the brackets
    std::size_t count = 0;      ///< of messages
    log::RoomHead at;           ///< where the one room stands
    RoomSeq after;              ///< where the next poll of it goes on
    PollPlaces places;          ///< the same of all rooms
    std::vector<RoomId> rooms;  ///< what a poll that waits listens to
    std::string truncated;      ///< value of X-Parley-Truncated; empty: nothing is missing
    std::string invalid;        ///< the refusal of a position that is not there, as JSON; empty: all are
    std::size_t rooms_left_out = 0;
};

/// Reads it from the log, for whoever may. Of a member whose right has just ended it gives nothing above that record.
///
/// Thread: any; blocks on the disk: on a pool.
/// Limit:  kMessages and about 2 MiB an answer; 64 rooms.
/// Fails:  as the access rules say; kStoreUnavailable.
class PollReader {
public:
    static constexpr std::size_t kMessages = 500;
    static constexpr std::size_t kRooms = 64;

    PollReader(log::RoomLog& log, store::Directory& directory) : log_(log), directory_(directory) {}
    [[nodiscard]] Result<PollAnswer> read(const PollQuestion& question);

private:
    struct Member {
        RoomId room;
        store::Membership membership;
    };
    [[nodiscard]] Result<PollAnswer> read_room(const PollQuestion& question);
    [[nodiscard]] Result<PollAnswer> read_all(const PollQuestion& question);
    [[nodiscard]] Result<std::vector<Member>> rooms_of(const MemberId& member, std::size_t& left_out);

    log::RoomLog& log_;
    store::Directory& directory_;
};

}  // namespace parley::gateway
