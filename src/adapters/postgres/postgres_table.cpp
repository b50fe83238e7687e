#include "adapters/postgres/postgres_table.h"

#include <fmt/format.h>

#include <map>

#include "adapters/postgres/copy_rows.h"
#include "adapters/postgres/database.h"
#include "adapters/postgres/message_size.h"

namespace parley::postgres {
namespace {

constexpr Statement kBegin{"begin_rows", "BEGIN"};
constexpr Statement kCommit{"commit_rows", "COMMIT"};
constexpr Statement kRollback{"rollback_rows", "ROLLBACK"};
constexpr Statement kClaimTopic{"claim_topic", R"(
    INSERT INTO topic (cluster, topic, partitions, dedup_window) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING)"};
constexpr Statement kBeginPositions{"begin_positions", R"(
    INSERT INTO positions (part, next) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING)"};
constexpr Statement kTopic{"topic", "SELECT cluster, topic, partitions, dedup_window FROM topic"};
constexpr Statement kPositions{"positions", "SELECT part, next FROM positions ORDER BY part"};
constexpr Statement kHeadsOfPartition{"heads_of_partition", R"(
    SELECT p.next, t.dedup_window, h.room, h.head, h.last_created
    FROM topic t CROSS JOIN positions p LEFT JOIN heads h ON h.part = p.part WHERE p.part = $1)"};
constexpr Statement kWindow{"window", R"(
    SELECT m.pos, h.room, m.sender, m.id, m.seq, m.created_at FROM messages m JOIN heads h ON h.no = m.room
    WHERE m.part = $1 AND m.part >= 0 AND m.pos >= $2 AND m.pos < $3 ORDER BY m.pos, m.seq)"};

constexpr Statement kMakeRooms{"make_topic_rooms", R"(
    INSERT INTO heads (room, part) SELECT room, part FROM unnest($1, $2) AS asked (room, part)
    WHERE NOT EXISTS (SELECT FROM heads h WHERE h.room = asked.room) ORDER BY room COLLATE "C"
    ON CONFLICT DO NOTHING)"};
constexpr Statement kInsertMissing{"insert_missing_messages", R"(
    INSERT INTO messages (v, type, size, room, seq, created_at, sender, id, nickname, content, extra, part, pos)
    SELECT 1, new.type, new.size, h.no, new.seq, new.created_at, new.sender, new.id, new.nickname, new.content,
           new.extra, new.part, new.pos
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         AS new (type, size, room, seq, created_at, sender, id, nickname, content, extra, part, pos)
    JOIN heads h ON h.room = new.room ON CONFLICT (room, seq) DO NOTHING)"};
constexpr std::uint16_t kColumns = 13;
const std::string kCopyAndCommit =
    "COPY messages (v, type, size, room, seq, created_at, sender, id, nickname, content, extra, part, pos) "
    "FROM STDIN (FORMAT binary); COMMIT";
/// What a COPY waits for no time limit of the server ends. So whoever waited for locks ends those that stand still.
constexpr auto kMayWait = std::chrono::seconds{3};
constexpr Statement kEndStandingCopies{"end_standing_copies", R"(
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
    AND query LIKE 'COPY messages (%' AND query_start < now() - interval '3 s')"};
// LATERAL … LIMIT: a plan made for a small table would read each row's whole room.
constexpr Statement kOthers{"other_records", R"(
    SELECT new.room, new.seq, m.part, m.pos, new.part, new.pos
    FROM unnest($1, $2, $3, $4) AS new (room, seq, part, pos) JOIN heads h ON h.room = new.room
    CROSS JOIN LATERAL (SELECT part, pos FROM messages WHERE room = h.no AND seq = new.seq LIMIT 1) m
    WHERE m.part <> new.part OR m.pos <> new.pos LIMIT 1)"};
constexpr Statement kSetHeads{"set_topic_heads", R"(
    UPDATE heads h SET head = new.head, last_created = new.last_created
    FROM unnest($1, $2, $3) AS new (room, head, last_created) WHERE h.room = new.room AND h.head < new.head
    RETURNING h.room, h.no)"};
constexpr Statement kSetPositions{"set_positions", R"(
    UPDATE positions p SET next = new.next FROM unnest($1, $2) AS new (part, next)
    WHERE p.part = new.part AND p.next < new.next)"};

using log::PlacedMessage;
using log::Position;
using Room = std::pair<const std::string_view, const PlacedMessage*>;

std::uint32_t part_of(const Position& at) { return at.partition; }
std::uint64_t next_of(const Position& at) { return at.next; }
std::int64_t millis(WallTime time) { return time.time_since_epoch().count(); }
const std::string& room_of(const PlacedMessage& row) { return row.message->room.str(); }
std::uint64_t seq_of(const PlacedMessage& row) { return row.message->seq.value; }
std::uint32_t row_part(const PlacedMessage& row) { return row.partition; }
std::uint64_t row_pos(const PlacedMessage& row) { return row.offset; }

Params rows_to_insert(std::span<const PlacedMessage> rows) {
    Params out;
    out.numbers(rows, [](const PlacedMessage& row) { return static_cast<int>(row.message->type); });
    out.numbers(rows, [](const PlacedMessage& row) { return size_of(*row.message); });
    out.texts(rows, room_of);
    out.numbers(rows, seq_of);
    out.numbers(rows, [](const PlacedMessage& row) { return millis(row.message->created_at); });
    out.texts(rows, [](const PlacedMessage& row) -> const std::string& { return row.message->sender.str(); });
    out.texts(rows, [](const PlacedMessage& row) -> const std::string& { return row.message->id.str(); });
    out.texts(rows, [](const PlacedMessage& row) -> const std::string& { return row.message->nickname; });
    out.texts(rows, [](const PlacedMessage& row) -> const std::string& { return row.message->content; });
    out.texts(rows, [](const PlacedMessage& row) -> const std::string& { return row.message->extra; });
    out.numbers(rows, row_part);
    out.numbers(rows, row_pos);
    return out;
}

using Rooms = std::map<std::string_view, const PlacedMessage*>;     ///< and its last message
using Numbers = std::map<std::string, std::uint64_t, std::less<>>;  ///< of rooms

std::string_view name_of(const Room& room) { return room.first; }

Call set_positions(std::span<const Position> positions) {
    return {kSetPositions, Params{}.numbers(positions, part_of).numbers(positions, next_of)};
}
Call make_rooms(const Rooms& rooms) {
    return {kMakeRooms,
            Params{}.texts(rooms, name_of).numbers(rooms, [](const Room& room) { return room.second->partition; })};
}
Call set_heads(const Rooms& rooms) {
    return {kSetHeads, Params{}
                           .texts(rooms, name_of)
                           .numbers(rooms, [](const Room& room) { return seq_of(*room.second); })
                           .numbers(rooms, [](const Room& room) { return millis(room.second->message->created_at); })};
}

Result<> end(Connection& connection, const Statement& statement, Deadline deadline) {
    const auto ended = connection.run(statement, {}, deadline);
    if (!ended) return fail(ended.error());
    return {};
}

std::string rows_to_copy(std::span<const PlacedMessage> rows, const Numbers& numbers) {
    CopyRows out{kColumns};
    for (const PlacedMessage& row : rows) {
        const Message& message = *row.message;
        out.row()
            .smallint(1)
            .smallint(static_cast<std::uint16_t>(message.type))
            .integer(static_cast<std::uint32_t>(size_of(message)))
            .bigint(numbers.find(message.room.str())->second)
            .bigint(message.seq.value)
            .bigint(static_cast<std::uint64_t>(millis(message.created_at)))
            .text(message.sender.str())
            .text(message.id.str())
            .text(message.nickname)
            .text(message.content)
            .text(message.extra)
            .integer(row.partition)
            .bigint(row.offset);
    }
    return std::move(out).finish();
}

/// For rows of which some may be there; those have to be the same records.
Result<> store_missing(Connection& connection, std::span<const PlacedMessage> rows, const Rooms& rooms,
                       std::span<const Position> positions, Deadline deadline) {
    const std::vector<Call> calls{{kBegin},
                                  set_positions(positions),
                                  make_rooms(rooms),
                                  set_heads(rooms),
                                  {kInsertMissing, rows_to_insert(rows)}};
    const auto answers = connection.run_all(calls, deadline);
    if (!answers) return fail(answers.error());
    if (answers->back().changed() == rows.size()) return end(connection, kCommit, deadline);
    const auto others = connection.run(
        kOthers, Params{}.texts(rows, room_of).numbers(rows, seq_of).numbers(rows, row_part).numbers(rows, row_pos),
        deadline);
    if (!others) return fail(others.error());
    if (const auto ended = end(connection, others->empty() ? kCommit : kRollback, deadline); !ended)
        return fail(ended.error());
    if (others->empty()) return {};
    return fail(Code::kInternal,
                fmt::format("room {}, message {} is the record at {}:{} in the store and at {}:{} in the topic",
                            others->text(0, 0), others->number(0, 1), others->number(0, 2), others->number(0, 3),
                            others->number(0, 4), others->number(0, 5)));
}

/// Rows that come for the first time are copied. A room that is further already says that these are not; so does a row
/// that is there, which ends the transaction and the connection: then the rows are looked at one by one.
Result<> store_new(Connection& connection, std::span<const PlacedMessage> rows, const Rooms& rooms,
                   std::span<const Position> positions, Deadline deadline) {
    Numbers numbers;
    const auto move = [&](const std::vector<Call>& calls) -> Result<bool> {
        const auto answers = connection.run_all(calls, deadline);
        if (!answers) return fail(answers.error());
        const Rows& heads = answers->back();
        for (std::size_t i = 0; i < heads.size(); ++i) numbers.emplace(heads.text(i, 0), heads.number(i, 1));
        return numbers.size() == rooms.size();
    };
    auto moved = move({{kBegin}, set_positions(positions), set_heads(rooms)});
    if (moved && !*moved) moved = move({make_rooms(rooms), set_heads(rooms)});
    if (!moved) return fail(moved.error());
    if (*moved) return connection.script(kCopyAndCommit, deadline, rows_to_copy(rows, numbers));
    if (const auto ended = end(connection, kRollback, deadline); !ended) return fail(ended.error());
    return store_missing(connection, rows, rooms, positions, deadline);
}

}  // namespace

Result<> PostgresTable::claim(const log::TopicShape& shape, std::span<const Position> beginnings) {
    if (auto ours = claim_for_log(*pool_, kKafkaLog); !ours) return fail(Code::kBadRequest, ours.error().message);
    auto answers = pool_->with([&](Connection& connection, Deadline deadline, bool) {
        const std::vector<Call> calls{
            {kClaimTopic,
             Params{}.text(shape.cluster).text(shape.topic).number(shape.partitions).number(shape.dedup_window)},
            {kBeginPositions, Params{}.numbers(beginnings, part_of).numbers(beginnings, next_of)},
            {kTopic}};
        return connection.run_all(calls, deadline);
    });
    if (!answers) return fail(answers.error());
    const Rows& known = answers->back();
    const log::TopicShape had{known.text(0, 0), known.text(0, 1), static_cast<std::uint32_t>(known.number(0, 2)),
                              known.number(0, 3)};
    if (had == shape) return {};
    return fail(Code::kBadRequest,
                fmt::format("PostgreSQL: schema {} holds the messages of topic {} of cluster {} with {} partitions and "
                            "a dedup window of {}; this is topic {} of cluster {} with {} and {}",
                            pool_->settings().schema, had.topic, had.cluster, had.partitions, had.dedup_window,
                            shape.topic, shape.cluster, shape.partitions, shape.dedup_window));
}

Result<std::vector<Position>> PostgresTable::positions() {
    const auto rows = pool_->run(kPositions, {});
    if (!rows) return fail(rows.error());
    std::vector<Position> out;
    for (std::size_t row = 0; row < rows->size(); ++row)
        out.push_back({static_cast<std::uint32_t>(rows->number(row, 0)), rows->number(row, 1)});
    return out;
}

Result<log::Checkpoint> PostgresTable::checkpoint(std::uint32_t partition) {
    // Position and heads change in one transaction; the rows below a position do not change any more.
    const auto heads = pool_->run(kHeadsOfPartition, Params{}.number(partition));
    if (!heads) return fail(heads.error());
    log::Checkpoint out;
    if (heads->empty()) return out;
    out.next = heads->number(0, 0);
    const std::uint64_t window = heads->number(0, 1);
    for (std::size_t row = 0; row < heads->size(); ++row) {
        if (!heads->is_null(row, 2))
            out.heads.push_back({RoomId::trusted(heads->text(row, 2)), {heads->number(row, 3)}, heads->time(row, 4)});
    }
    const auto rows = pool_->run(
        kWindow, Params{}.number(partition).number(out.next < window ? 0 : out.next - window).number(out.next));
    if (!rows) return fail(rows.error());
    for (std::size_t row = 0; row < rows->size(); ++row) {
        out.window.push_back({rows->number(row, 0),
                              RoomId::trusted(rows->text(row, 1)),
                              MemberId::trusted(rows->text(row, 2)),
                              MessageId::trusted(rows->text(row, 3)),
                              {rows->number(row, 4)},
                              rows->time(row, 5)});
    }
    return out;
}

/// Positions are moved first: who else stores rows of these partitions waits for them.
Result<> PostgresTable::store(std::span<const PlacedMessage> rows, std::span<const Position> positions) {
    if (rows.empty()) {
        const auto moved = pool_->run(kSetPositions, set_positions(positions).params);
        if (!moved) return fail(moved.error());
        return {};
    }
    Rooms rooms;
    for (const PlacedMessage& row : rows) rooms[room_of(row)] = &row;
    const auto begun = std::chrono::steady_clock::now();
    auto stored = pool_->with([&](Connection& connection, Deadline deadline, bool again) {
        return again ? store_missing(connection, rows, rooms, positions, deadline)
                     : store_new(connection, rows, rooms, positions, deadline);
    });
    if (!stored && std::chrono::steady_clock::now() - begun >= kMayWait) (void)pool_->run(kEndStandingCopies, {});
    return stored;
}

}  // namespace parley::postgres
