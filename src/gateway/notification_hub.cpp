#include "gateway/notification_hub.h"

#include "gateway/notification_stream.h"
#include "gateway/rest_json.h"

namespace parley::gateway {
namespace {

constexpr std::size_t kRooms = 64;
constexpr std::size_t kMembers = 1000;
using Members = std::unordered_set<MemberId>;

/// Who of `candidates` is in a room with `newcomer`.
Result<Members> companions(store::Directory& directory, const MemberId& newcomer, const Members& candidates) {
    Members found;
    const auto rooms = directory.rooms_of(newcomer, kRooms);
    if (!rooms) return fail(rooms.error());
    for (const store::RoomInfo& room : *rooms) {
        const auto own = directory.membership(room.id, newcomer);
        if (!own) return fail(own.error());
        if (!belongs(*own)) continue;
        const auto members = directory.members(room.id, {}, kMembers);
        if (!members) return fail(members.error());
        for (const store::Membership& membership : *members) {
            if (candidates.contains(membership.member) && belongs(membership)) found.insert(membership.member);
        }
        if (found.size() == candidates.size()) break;
    }
    return found;
}

}  // namespace

void NotificationHub::on_member_online(const MemberId& newcomer, const std::string& json) {
    Members candidates;
    for (const NotificationStream* stream : streams_) candidates.insert(stream->member());
    candidates.erase(newcomer);
    if (candidates.empty()) return;
    asker_.ask([&directory = directory_, newcomer,
                candidates = std::move(candidates)] { return companions(directory, newcomer, candidates); },
               [this, json](const Result<Members>& found) {
                   if (!found) return;  // told now or never
                   for (NotificationStream* stream : streams_) {
                       if (found->contains(stream->member())) stream->say_login(json);
                   }
               });
}

}  // namespace parley::gateway
