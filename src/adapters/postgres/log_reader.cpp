#include "adapters/postgres/log_reader.h"

#include <algorithm>

#include "adapters/postgres/row_format.h"

namespace parley::postgres {
namespace {

constexpr Statement kHead{"head", R"(
    SELECT meta.epoch, coalesce(h.first, 1), coalesce(h.head, 0) FROM meta LEFT JOIN heads h ON h.room = $1)"};
constexpr Statement kHeads{"heads", R"(
    SELECT meta.epoch, coalesce(h.first, 1), coalesce(h.head, 0)
    FROM meta CROSS JOIN unnest($1) WITH ORDINALITY AS asked (room, i) LEFT JOIN heads h ON h.room = asked.room
    ORDER BY asked.i)"};
constexpr Statement kRead{"read", R"(
    SELECT meta.epoch, coalesce(h.first, 1), coalesce(h.head, 0), m.v, m.type, m.seq, m.created_at, m.sender, m.id,
           m.nickname, m.content, m.extra
    FROM meta LEFT JOIN heads h ON h.room = $1 LEFT JOIN LATERAL (
        SELECT *, sum(size) OVER (ORDER BY seq) - size AS before FROM (
            SELECT * FROM messages WHERE room = h.no AND seq > $2 ORDER BY seq LIMIT $3) asked) m ON m.before < $4
    ORDER BY m.seq)"};
constexpr Statement kReadBefore{"read_before", R"(
    SELECT meta.epoch, coalesce(h.first, 1), coalesce(h.head, 0), m.v, m.type, m.seq, m.created_at, m.sender, m.id,
           m.nickname, m.content, m.extra
    FROM meta LEFT JOIN heads h ON h.room = $1 LEFT JOIN LATERAL (
        SELECT *, sum(size) OVER (ORDER BY seq DESC) - size AS before FROM (
            SELECT * FROM messages WHERE room = h.no AND seq < $2 ORDER BY seq DESC LIMIT $3) asked) m ON m.before < $4
    ORDER BY m.seq)"};
// By halves: created_at never falls as seq rises. `low` to `high` holds the first message that is not older.
constexpr Statement kSeek{"seek", R"(
    WITH RECURSIVE halves (no, low, high) AS (
        SELECT no, first, head + 1 FROM heads WHERE room = $1
        UNION ALL
        SELECT no, CASE WHEN m.created_at < $2 THEN m.seq + 1 ELSE low END,
                   CASE WHEN m.created_at < $2 THEN high ELSE m.seq END
        FROM halves JOIN messages m ON m.room = no AND m.seq = (low + high) / 2 WHERE low < high)
    SELECT CASE WHEN low = first AND last_created >= $2 THEN 0 ELSE low - 1 END
        FROM halves JOIN heads ON room = $1 ORDER BY high - low, low DESC LIMIT 1)"};

constexpr Statement kRooms{"rooms_since", R"(
    SELECT v, room, head FROM heads WHERE room > $1 AND room < '~' AND last_created >= $2 ORDER BY room LIMIT $3)"};

log::RoomHead head_of(const Rows& rows, std::size_t row = 0) {
    return {{rows.number(row, 0)}, {rows.number(row, 1)}, {rows.number(row, 2)}};
}

MessageRef message_of(const Rows& rows, std::size_t row, const RoomId& room) {
    auto message = std::make_shared<Message>();
    message->type = static_cast<MessageType>(rows.number(row, 4));
    message->seq = {rows.number(row, 5)};
    message->created_at = rows.time(row, 6);
    message->sender = MemberId::trusted(rows.text(row, 7));
    message->id = MessageId::trusted(rows.text(row, 8));
    message->nickname = rows.text(row, 9);
    message->content = rows.text(row, 10);
    message->extra = rows.text(row, 11);
    message->room = room;
    return message;
}

}  // namespace

Result<log::Page> LogReader::page(const Statement& statement, const RoomId& room, RoomSeq from, std::size_t limit,
                                  Bytes max) const {
    Params asked;
    asked.text(room.str()).number(from.value).number(limit).number(std::max<std::uint64_t>(max.count, 1));
    const auto rows = pool_->run(statement, asked);
    if (!rows) return fail(rows.error());
    if (auto known = check_format(*rows, 3); !known) return fail(known.error());
    log::Page page{head_of(*rows), {}};
    for (std::size_t row = 0; row < rows->size(); ++row) {
        if (!rows->is_null(row, 5)) page.messages.push_back(message_of(*rows, row, room));
    }
    return page;
}

Result<log::Page> LogReader::read(const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) const {
    return page(kRead, room, after, limit, max);
}

Result<log::Page> LogReader::read_before(const RoomId& room, RoomSeq before, std::size_t limit, Bytes max) const {
    return page(kReadBefore, room, before, limit, max);
}

Result<log::RoomHead> LogReader::head(const RoomId& room) const {
    const auto rows = pool_->run(kHead, Params{}.text(room.str()));
    if (!rows) return fail(rows.error());
    return head_of(*rows);
}

Result<std::vector<log::RoomHead>> LogReader::heads(std::span<const RoomId> rooms) const {
    const auto rows =
        pool_->run(kHeads, Params{}.texts(rooms, [](const RoomId& room) -> const std::string& { return room.str(); }));
    if (!rows) return fail(rows.error());
    std::vector<log::RoomHead> out;
    for (std::size_t row = 0; row < rows->size(); ++row) out.push_back(head_of(*rows, row));
    return out;
}

Result<RoomSeq> LogReader::seek(const RoomId& room, WallTime time) const {
    const auto rows = pool_->run(kSeek, Params{}.text(room.str()).time(time));
    if (!rows) return fail(rows.error());
    return RoomSeq{rows->empty() ? 0 : rows->number(0, 0)};
}

Result<std::vector<log::ListedRoom>> LogReader::rooms(const RoomId& after, WallTime since, std::size_t limit) const {
    const auto rows = pool_->run(kRooms, Params{}.text(after.str()).time(since).number(limit));
    if (!rows) return fail(rows.error());
    if (auto known = check_format(*rows, 0); !known) return fail(known.error());
    std::vector<log::ListedRoom> out;
    for (std::size_t row = 0; row < rows->size(); ++row)
        out.push_back({RoomId::trusted(rows->text(row, 1)), {rows->number(row, 2)}});
    return out;
}

}  // namespace parley::postgres
