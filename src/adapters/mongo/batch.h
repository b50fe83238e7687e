#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/mongo/blocks.h"
#include "adapters/mongo/heads.h"
#include "adapters/mongo/pool.h"
#include "log/batch_writer.h"

namespace parley::mongo {

/// What the writer keeps from one batch to the next.
struct Writer {
    const Pool& pool;
    std::unique_ptr<Connection> connection;       ///< null: to be opened
    std::unordered_map<std::string, Head> heads;  ///< of rooms stored to lately; may be behind
};

/// Brings what waits into blocks: one document for what waits in a room, so that a request is stored whole or not at
/// all. Two round trips for any number of rooms, more where another server was faster or a message is a repeat.
///
/// Why no transaction is needed. Each step leaves nothing wrong behind it, whoever stops there:
/// - A block is inserted at the seq after the room's last, under an id of room and seq. Two servers that do so have the
///   same id: one succeeds, the other looks where the room stands now and tries there. Only who has seen the block that
///   ends at seq - 1 confirmed inserts at seq, so there is no hole and no overlap.
/// - A unique index over the keys of all messages refuses a block with a repeat in it, whatever was looked at before.
/// - `heads` is raised afterwards. A server that stops in between leaves it behind; whoever looks the room up next
///   passes the block and sets it right (heads.h). Nobody has been told of the message then: its sender sends it again
///   and learns that it is a repeat.
/// - A block whose insert has no answer is inserted again, under the same id and nonce: refused, it is looked for, and
///   found with that nonce it is ours.
/// - Blocks are deleted by trimming alone, after `heads` says so durably. So an insert that comes far too late, from a
///   server that was paused, may find its id free in a part that is trimmed: raising `heads` is refused then, nobody
///   reads there, the block is deleted (by a trimmer, if this server stops) and its messages go to the room's end.
///
/// Thread: the log's writer. Borrows the appends and the writer.
/// Fails:  as Connection; and when others store to the same rooms all the time until the deadline.
class Batch final : public log::BatchTry {
public:
    Batch(std::span<log::Pending> appends, Writer& writer);

    Result<> store(WallTime now, Deadline deadline) override;
    [[nodiscard]] Outcome take() override;

private:
    enum class State : std::uint8_t { kUnknown, kNew, kRepeat };
    struct Entry {
        const Draft* draft = nullptr;
        const Entry* first = nullptr;  ///< the same message before it in this batch
        State state = State::kUnknown;
        RoomSeq seq;
        WallTime created_at;
    };
    struct Append {
        std::vector<Entry> entries;
        bool stored = false;
    };
    struct Attempt {
        Block block;
        std::vector<Entry*> entries;
        std::size_t end = 0;  ///< the place in Line::appends after its last
        Document document;
    };
    /// What waits in one room.
    struct Line {
        const RoomId* room = nullptr;
        std::vector<std::size_t> appends;
        std::size_t next = 0;  ///< the first that is not stored
        std::optional<Attempt> attempt;
        [[nodiscard]] bool ended() const { return next == appends.size(); }
    };

    Result<> store_round(WallTime now);
    Result<> look_up_missing();
    void prepare(Line& line, WallTime now);
    /// The lines whose block has been refused are taken out of `lines`.
    Result<std::vector<Line*>> insert_blocks(std::vector<Line*>& lines);
    /// Finds out why: the room has gone on, or there is a repeat. Those that are stored nevertheless go to `placed`.
    Result<> settle(const std::vector<Line*>& refused, std::vector<Line*>& placed);
    /// False: the found block is one that has been trimmed.
    Result<> note_repeats(Line& line, const std::vector<Document>& found, const Head& head, bool& learned);
    Result<> confirm(const std::vector<Line*>& placed);
    Result<> remove_block(const Block& block);

    std::span<log::Pending> pending_;
    Writer& writer_;
    std::vector<Append> appends_;
    std::deque<Line> lines_;
};

}  // namespace parley::mongo
