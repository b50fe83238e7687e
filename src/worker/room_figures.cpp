#include "worker/room_figures.h"

#include <fmt/format.h>

#include <numeric>
#include <sstream>

#include "base/clock.h"

namespace parley::worker {
namespace {

constexpr std::size_t kMembers = 500;
constexpr std::size_t kAnomalies = 20;
constexpr std::int64_t kMinutes = 60;
constexpr std::uint64_t kFlood = 50;
constexpr milliseconds kFloodTime{10'000};
constexpr std::uint64_t kSame = 5;
constexpr milliseconds kSameTime{60'000};

std::int64_t minute_of(WallTime time) { return time.time_since_epoch().count() / 60'000; }
std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime at(std::int64_t ms) { return WallTime{milliseconds{ms}}; }

/// FNV-1a: the same in every process.
std::uint64_t number_of(std::string_view text) {
    std::uint64_t out = 14'695'981'039'346'656'037U;
    for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    return out;
}

std::string_view name(RoomFigures::Kind kind) { return kind == RoomFigures::Kind::kFlood ? "flood" : "repeat"; }

template <class List, class Write>
std::string array_of(const List& list, Write write) {
    std::string out = "[";
    for (const auto& one : list) {
        if (out.size() > 1) out += ',';
        write(out, one);
    }
    return out + ']';
}

}  // namespace

std::vector<RoomFigures::Anomaly> RoomFigures::add(const Message& message) {
    const WallTime now = message.created_at;
    if (minutes_.empty() && last_ == WallTime{}) first_ = now;
    last_ = now;
    ++types_.at(std::min<std::size_t>(static_cast<std::size_t>(message.type), types_.size() - 1));
    ++minutes_[minute_of(now)];
    minutes_.erase(minutes_.begin(), minutes_.upper_bound(minute_of(now) - kMinutes));
    if (message.type != MessageType::kTalk) return {};
    const auto known = members_.find(message.sender);
    if (known == members_.end() && members_.size() >= kMembers) {
        ++others_;
        return {};
    }
    Member& member = known == members_.end() ? members_[message.sender] : known->second;
    ++member.messages;
    member.minutes.add(minute_of(now));
    member.last = now;
    std::vector<Anomaly> out;
    const auto mark = [&](Kind kind) { out.push_back({kind, message.sender, message.seq, now}); };
    if (now - member.flood_began > kFloodTime) {
        member.flood_began = now;
        member.in_flood = 0;
    }
    if (++member.in_flood == kFlood) mark(Kind::kFlood);
    const std::uint64_t text = number_of(message.content);
    if (text != member.text || now - member.text_began > kSameTime) {
        member.text = text;
        member.text_began = now;
        member.same_text = 0;
    }
    if (++member.same_text == kSame) mark(Kind::kRepeat);
    anomalies_.insert(anomalies_.end(), out.begin(), out.end());
    while (anomalies_.size() > kAnomalies) anomalies_.pop_front();
    return out;
}

std::string RoomFigures::save() const {
    std::string out = fmt::format("room {} {} {}", ms(first_), ms(last_), others_);
    for (const auto count : types_) out += fmt::format(" {}", count);
    for (const auto& [minute, count] : minutes_) out += fmt::format("\nminute {} {}", minute, count);
    for (const auto& [id, m] : members_) {
        out += fmt::format("\nmember {} {} {} {} {} {} {} {} {}", id.str(), m.messages, ms(m.last), ms(m.flood_began),
                           m.in_flood, m.text, ms(m.text_began), m.same_text, m.minutes.save());
    }
    for (const Anomaly& one : anomalies_) {
        out += fmt::format("\nanomaly {} {} {} {}", static_cast<int>(one.kind), one.member.str(), one.seq.value,
                           ms(one.at));
    }
    return out;
}

RoomFigures RoomFigures::parse(std::string_view saved) {
    RoomFigures out;
    std::istringstream lines{std::string{saved}};
    std::int64_t time = 0;
    const auto take_time = [&](std::istream& from, WallTime& to) {
        from >> time;
        to = at(time);
    };
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string what;
        std::string id;
        words >> what;
        if (what == "room") {
            take_time(words, out.first_);
            take_time(words, out.last_);
            words >> out.others_;
            for (auto& count : out.types_) words >> count;
        } else if (what == "minute") {
            std::int64_t minute = 0;
            words >> minute;
            words >> out.minutes_[minute];
        } else if (what == "member") {
            words >> id;
            Member& member = out.members_[MemberId::trusted(id)];
            words >> member.messages;
            take_time(words, member.last);
            take_time(words, member.flood_began);
            words >> member.in_flood >> member.text;
            take_time(words, member.text_began);
            words >> member.same_text;
            if (words >> std::ws; !words.eof()) member.minutes.take(words);  // earlier versions did not save them
        } else if (what == "anomaly") {
            int kind = 0;
            Anomaly one;
            words >> kind >> id >> one.seq.value;
            one.kind = static_cast<Kind>(kind);
            one.member = MemberId::trusted(id);
            take_time(words, one.at);
            out.anomalies_.push_back(one);
        }
    }
    return out;
}

std::uint64_t RoomFigures::within(WallTime now, std::int64_t minutes) const {
    const auto end = minutes_.lower_bound(minute_of(now));
    std::uint64_t sum = 0;
    for (auto one = minutes_.lower_bound(minute_of(now) - minutes); one != end; ++one) sum += one->second;
    return sum;
}

std::string RoomFigures::json(const std::string& room, WallTime now, bool all) const {
    std::string out = R"({"roomId":)";
    append_json_string(out, room);
    out += fmt::format(R"(,"messages":{},"types":{{)", std::accumulate(types_.begin(), types_.end(), std::uint64_t{0}));
    for (std::size_t i = 1; i < types_.size(); ++i) {
        out += fmt::format(R"({}"{}":{})", i == 1 ? "" : ",", parley::name(static_cast<MessageType>(i)), types_.at(i));
    }
    out += fmt::format(
        R"(}},"firstAt":"{}","lastAt":"{}","lastMinute":{},"last5Minutes":{},"lastHour":{},"members":{},"anomalies":{})",
        format_iso(first_), format_iso(last_), within(now, 1), within(now, 5), within(now, kMinutes - 1),
        members_.size(), anomalies_.size());
    if (!all) return out + '}';
    out += R"(,"perMember":)" + array_of(members_, [minute = minute_of(now)](std::string& to, const auto& one) {
               const Member& member = one.second;
               to += R"({"memberId":)";
               append_json_string(to, one.first.str());
               to += fmt::format(R"(,"messages":{},"lastAt":"{}","lastMinute":{},"last5Minutes":{}}})", member.messages,
                                 format_iso(member.last), member.minutes.before(minute, 1),
                                 member.minutes.before(minute, 5));
           });
    out += fmt::format(R"(,"otherMembersMessages":{},"marks":)", others_);
    out += array_of(anomalies_, [](std::string& to, const Anomaly& one) {
        to += fmt::format(R"({{"kind":"{}","memberId":)", name(one.kind));
        append_json_string(to, one.member.str());
        to += fmt::format(R"(,"seq":{},"at":"{}"}})", one.seq.value, format_iso(one.at));
    });
    return out + '}';
}

}  // namespace parley::worker
