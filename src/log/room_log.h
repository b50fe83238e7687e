#pragma once
#include <span>
#include <vector>

#include "base/function.h"
#include "base/message.h"
#include "base/result.h"
#include "base/units.h"

namespace parley::log {

/// What a stored draft became. `repeated`: the same (room, sender, id) was stored before; seq and
/// createdAt are that message's, nothing was written and nothing is delivered again.
struct Appended {
    RoomSeq seq;
    WallTime created_at;
    bool repeated = false;
};

/// Drafts for one room, stored together: durable together, adjacent in seq (those that are not
/// repeats), all or nothing. 1 to 100 drafts; one without an id gets a UUIDv7.
struct AppendRequest {
    RoomId room;
    std::vector<Draft> drafts;

    /// For the log, as it takes the request.
    void give_ids(WallTime now);
};
/// One Appended per draft, in order. Error: kStoreUnavailable (nothing acknowledged; a retry with the
/// same ids is safe whatever became of this try).
using AppendDone = UniqueFunction<void(Result<std::vector<Appended>>)>;
struct Append {
    AppendRequest request;
    AppendDone done;
};

/// Where a room stands. `first` is the lowest seq still kept (head+1 where nothing is kept, 1 for a new room).
struct RoomHead {
    Epoch epoch;
    RoomSeq first{1};
    RoomSeq head{0};
};

struct Page {
    RoomHead at;                       ///< taken together with the messages
    std::vector<MessageRef> messages;  ///< ascending seq, no hole; empty past the end
};

/// The ordered, durable log of every room: gives the dense seq and drops repeats.
///
/// Thread: any for every call. append() never blocks; its callback comes on a thread of the log's own, or
///         inside append() when it is refused at once, and must only hand over. read(), head(), seek() may touch the
///         disk: never call them on a loop.
/// Order:  seq is dense per room from 1; created_at never falls as seq rises. The commit listener hears
///         each room's messages in seq order, each after it is durable, before the appender's callback.
/// Fails:  an unknown room is an empty one in the log's own epoch (nothing is made by asking). Storage
///         trouble is kStoreUnavailable and lasts only as long as the trouble does.
class RoomLog {
public:
    virtual ~RoomLog() = default;

    void append(AppendRequest request, AppendDone done);
    /// As append() of each in turn; the log may commit them together.
    virtual void append_all(std::vector<Append> appends) = 0;

    /// Messages with seq > `after`, at most `limit` and about `max` bytes (always at least one where there is one).
    /// What was trimmed is left out without an error: compare `at.first`.
    [[nodiscard]] virtual Result<Page> read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) = 0;
    /// The last `limit` messages with seq < `before`, ascending.
    [[nodiscard]] virtual Result<Page> read_before(const RoomId& room, RoomSeq before, std::size_t limit,
                                                   Bytes max) = 0;
    [[nodiscard]] virtual Result<RoomHead> head(const RoomId& room) = 0;
    /// head() of each, in their order; asked for together where the log can.
    [[nodiscard]] virtual Result<std::vector<RoomHead>> heads(std::span<const RoomId> rooms);
    /// The seq to read *after* so that every message with created_at >= `time` is seen (may start early, never late):
    /// 0, so that the reader is told, where one of those may have been trimmed.
    [[nodiscard]] virtual Result<RoomSeq> seek(const RoomId& room, WallTime time) = 0;

    /// Called with each commit's new messages (any number of rooms), on the log's thread. Set once, before the
    /// first append. Must only hand over.
    using CommitListener = UniqueFunction<void(std::span<const MessageRef>)>;
    virtual void on_commit(CommitListener listener) = 0;
};

}  // namespace parley::log
