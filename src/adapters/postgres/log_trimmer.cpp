#include "adapters/postgres/log_trimmer.h"

#include "adapters/postgres/log_reader.h"

namespace parley::postgres {
namespace {

// $1: older ones go; $2: above this size a room's oldest go, 0 is any size; $3: rooms after this one.
constexpr Statement kOverLimits{"over_limits", R"(
    SELECT room, head >= first AND (coalesce(m.created_at < $1, false) OR ($2 > 0 AND bytes > $2)) FROM heads h
    LEFT JOIN LATERAL (SELECT created_at FROM messages m WHERE m.room = h.no AND m.seq = h.first) m ON true
    WHERE room > $3 ORDER BY room LIMIT 1000)"};
// The room's lock keeps writers and other trimmers out while its oldest 500 are judged.
constexpr Statement kTrim{"trim", R"(
    WITH room AS (
        SELECT no, first, bytes FROM heads WHERE room = $3 FOR UPDATE SKIP LOCKED
    ), oldest AS (
        SELECT m.seq, m.size, m.created_at, room.bytes - (sum(m.size) OVER (ORDER BY m.seq) - m.size) AS kept
        FROM room, LATERAL (SELECT * FROM messages m WHERE m.room = room.no AND m.seq >= room.first
                            ORDER BY m.seq LIMIT 500) m
    ), gone AS (
        DELETE FROM messages USING room, oldest
        WHERE messages.room = room.no AND messages.seq = oldest.seq
          AND (oldest.created_at < $1 OR ($2 > 0 AND oldest.kept > $2))
        RETURNING messages.seq, messages.size
    ), cut AS (
        SELECT count(*) AS messages, max(seq) AS last, sum(size) AS bytes FROM gone)
    UPDATE heads SET first = cut.last + 1, bytes = greatest(heads.bytes - cut.bytes, 0)
    FROM cut WHERE heads.room = $3 AND cut.messages > 0 RETURNING cut.messages)"};

}  // namespace

LogTrimmer::LogTrimmer(Limits limits, const Clock& clock, Pool& pool) : limits_(limits), clock_(clock), pool_(pool) {
    if (limits_.max_age.count() == 0 && limits_.max_room_bytes.count == 0) return;
    thread_ = std::make_unique<rt::Periodic>("log-trimmer", limits_.interval, [this] {
        (void)sweep();
        return limits_.interval;
    });
}

LogTrimmer::~LogTrimmer() { ending_ = true; }

Params LogTrimmer::limits_now() const {
    const bool by_age = limits_.max_age.count() > 0;
    Params out;
    out.time(by_age ? clock_.wall() - limits_.max_age : WallTime{}).number(limits_.max_room_bytes.count);
    return out;
}

Result<std::size_t> LogTrimmer::sweep() {
    std::size_t removed = 0;
    std::string after;
    while (!ending_) {
        const auto rooms = pool_.run(kOverLimits, limits_now().text(after));
        if (!rooms) return fail(rooms.error());
        if (rooms->empty()) break;
        for (std::size_t row = 0; row < rooms->size(); ++row) {
            after = rooms->text(row, 0);
            for (bool more = rooms->flag(row, 1); more && !ending_;) {
                const auto cut = pool_.run(kTrim, limits_now().text(after));
                if (!cut) return fail(cut.error());
                more = !cut->empty();
                if (more) removed += cut->number(0, 0);
            }
        }
    }
    return removed;
}

}  // namespace parley::postgres
