#include "room/presence.h"

namespace parley::room {

bool Presence::join(const RoomId& room, const MemberId& member, const std::string& nickname, SessionId session) {
    const std::lock_guard lock{mutex_};
    auto& members = rooms_[room];
    const auto [entry, fresh] = members.try_emplace(member);
    entry->second.nickname = nickname;
    // A stay whose connection was lost is taken over by this one.
    std::erase_if(entry->second.stays, [](const auto& stay) { return stay.second != SteadyTime::max(); });
    entry->second.stays[session] = SteadyTime::max();
    return fresh;
}

bool Presence::leave(const RoomId& room, const MemberId& member, SessionId session) {
    const std::lock_guard lock{mutex_};
    const auto members = rooms_.find(room);
    if (members == rooms_.end()) return false;
    const auto entry = members->second.find(member);
    if (entry == members->second.end() || entry->second.stays.erase(session) == 0) return false;
    if (!entry->second.stays.empty()) return false;
    members->second.erase(entry);
    if (members->second.empty()) rooms_.erase(members);
    return true;
}

void Presence::disconnect(const RoomId& room, const MemberId& member, SessionId session, SteadyTime now) {
    const std::lock_guard lock{mutex_};
    const auto members = rooms_.find(room);
    if (members == rooms_.end()) return;
    const auto entry = members->second.find(member);
    if (entry == members->second.end()) return;
    const auto stay = entry->second.stays.find(session);
    if (stay == entry->second.stays.end()) return;
    stay->second = now + grace_;
    ending_.emplace(stay->second, std::pair{room, member});
}

std::vector<Presence::Absent> Presence::sweep(SteadyTime now) {
    const std::lock_guard lock{mutex_};
    std::vector<Absent> absent;
    while (!ending_.empty() && ending_.begin()->first <= now) {
        const auto [room, member] = ending_.begin()->second;
        ending_.erase(ending_.begin());
        const auto members = rooms_.find(room);
        if (members == rooms_.end()) continue;
        const auto entry = members->second.find(member);
        if (entry == members->second.end()) continue;
        std::erase_if(entry->second.stays, [now](const auto& stay) { return stay.second <= now; });
        if (!entry->second.stays.empty()) continue;
        members->second.erase(entry);
        if (members->second.empty()) rooms_.erase(members);
        absent.push_back({room, member});
    }
    return absent;
}

std::vector<Presence::Present> Presence::present(const RoomId& room) const {
    const std::lock_guard lock{mutex_};
    std::vector<Present> out;
    if (const auto members = rooms_.find(room); members != rooms_.end()) {
        for (const auto& [member, entry] : members->second) out.push_back({member, entry.nickname});
    }
    return out;
}

bool Presence::is_present(const RoomId& room, const MemberId& member) const {
    const std::lock_guard lock{mutex_};
    const auto members = rooms_.find(room);
    return members != rooms_.end() && members->second.contains(member);
}

}  // namespace parley::room
