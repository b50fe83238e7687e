#pragma once
#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/message.h"
#include "worker/last_minutes.h"

namespace parley::worker {

/// What one room's messages amount to: how many, whose, how fast, and what looks wrong. All times are the messages'
/// own, so that the same messages give the same figures whenever they are counted.
///
/// Thread: one. Limit: 500 members by name, the others together; rates of the last hour; the last 20 anomalies.
class RoomFigures {
public:
    /// kFlood: 50 messages of a member within 10 s. kRepeat: 5 times the same text of a member within 60 s, in a row.
    enum class Kind : std::uint8_t { kFlood = 1, kRepeat = 2 };
    struct Anomaly {
        Kind kind = Kind::kFlood;
        MemberId member;
        RoomSeq seq;  ///< of the message that made it one
        WallTime at{};
    };

    /// From save(). What cannot be read counts from nothing.
    [[nodiscard]] static RoomFigures parse(std::string_view saved);
    [[nodiscard]] std::string save() const;

    /// Answers what it makes an anomaly of, if anything.
    std::vector<Anomaly> add(const Message& message);

    /// As docs/workers.md says; with `all`, the members and the anomalies too. Rates are of the whole minutes before
    /// `now`.
    [[nodiscard]] std::string json(const std::string& room, WallTime now, bool all) const;

private:
    struct Member {
        std::uint64_t messages = 0;
        WallTime last{};
        WallTime flood_began{};
        std::uint64_t in_flood = 0;
        std::uint64_t text = 0;  ///< what the last message said, as a number
        WallTime text_began{};
        std::uint64_t same_text = 0;
        LastMinutes minutes{};
    };
    [[nodiscard]] std::uint64_t within(WallTime now, std::int64_t minutes) const;

    std::array<std::uint64_t, 6> types_{};  ///< by MessageType
    WallTime first_{};
    WallTime last_{};
    std::map<std::int64_t, std::uint64_t> minutes_;  ///< since 1970
    std::map<MemberId, Member> members_;
    std::uint64_t others_ = 0;  ///< messages of members that have no place
    std::deque<Anomaly> anomalies_;
};

}  // namespace parley::worker
