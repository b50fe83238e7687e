#include "room/presence.h"

#include <algorithm>

namespace parley::room {

Presence::Member* Presence::find(const RoomId& room, const MemberId& member) {
    const auto members = rooms_.find(room);
    if (members == rooms_.end()) return nullptr;
    const auto entry = members->second.find(member);
    return entry == members->second.end() ? nullptr : &entry->second;
}

void Presence::tell(const RoomId& room, const MemberId& member, const std::string& nickname, bool present) const {
    if (tell_) tell_({room, member, nickname, present});
}

bool Presence::forget_absent(const RoomId& room, const MemberId& member) {
    const auto members = rooms_.find(room);
    const auto entry = members->second.find(member);
    if (!entry->second.is_absent()) return false;
    members->second.erase(entry);
    if (members->second.empty()) rooms_.erase(members);
    return true;
}

bool Presence::join(const RoomId& room, const MemberId& member, const std::string& nickname, SessionId session) {
    const std::lock_guard lock{mutex_};
    const auto [entry, fresh] = rooms_[room].try_emplace(member);
    auto& stays = entry->second.stays;
    entry->second.nickname = nickname;
    const bool is_first_here = stays.empty();
    // A stay whose connection was lost is taken over by this one.
    std::erase_if(stays, [](const auto& stay) { return stay.second != SteadyTime::max(); });
    stays[session] = SteadyTime::max();
    if (is_first_here) tell(room, member, nickname, true);
    return fresh;
}

bool Presence::leave(const RoomId& room, const MemberId& member, SessionId session) {
    const std::lock_guard lock{mutex_};
    Member* const entry = find(room, member);
    if (entry == nullptr || entry->stays.erase(session) == 0 || !entry->stays.empty()) return false;
    tell(room, member, entry->nickname, false);
    return forget_absent(room, member);
}

void Presence::disconnect(const RoomId& room, const MemberId& member, SessionId session, SteadyTime now) {
    const std::lock_guard lock{mutex_};
    Member* const entry = find(room, member);
    if (entry == nullptr) return;
    const auto stay = entry->stays.find(session);
    if (stay == entry->stays.end()) return;
    stay->second = now + grace_;
    ending_.emplace(stay->second, std::pair{room, member});
}

std::vector<Presence::Absent> Presence::sweep(SteadyTime now) {
    const std::lock_guard lock{mutex_};
    std::vector<Absent> absent;
    while (!ending_.empty() && ending_.begin()->first <= now) {
        const auto [room, member] = ending_.begin()->second;
        ending_.erase(ending_.begin());
        Member* const entry = find(room, member);
        if (entry == nullptr) continue;
        const auto ended = std::erase_if(entry->stays, [now](const auto& stay) { return stay.second <= now; });
        if (ended == 0 || !entry->stays.empty()) continue;
        const std::string nickname = entry->nickname;
        tell(room, member, nickname, false);
        if (forget_absent(room, member)) absent.push_back({room, member, nickname});
    }
    return absent;
}

void Presence::here(const std::function<void(std::vector<Change>)>& look) const {
    const std::lock_guard lock{mutex_};
    std::vector<Change> all;
    for (const auto& [room, members] : rooms_) {
        for (const auto& [member, entry] : members) {
            if (!entry.stays.empty()) all.push_back({room, member, entry.nickname, true});
        }
    }
    look(std::move(all));
}

bool Presence::join_at(ServerId server, const RoomId& room, const MemberId& member, const std::string& nickname) {
    const std::lock_guard lock{mutex_};
    const auto [entry, fresh] = rooms_[room].try_emplace(member);
    auto& elsewhere = entry->second.elsewhere;
    if (entry->second.stays.empty()) entry->second.nickname = nickname;
    if (std::ranges::find(elsewhere, server) == elsewhere.end()) elsewhere.push_back(server);
    return fresh;
}

bool Presence::leave_at(ServerId server, const RoomId& room, const MemberId& member) {
    const std::lock_guard lock{mutex_};
    Member* const entry = find(room, member);
    if (entry == nullptr || std::erase(entry->elsewhere, server) == 0) return false;
    return forget_absent(room, member);
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
