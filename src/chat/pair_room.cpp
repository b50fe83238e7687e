#include "chat/pair_room.h"

#include <algorithm>

#include "auth/encoding.h"

namespace parley::chat {

RoomId pair_room(const MemberId& one, const MemberId& other) {
    // A member id has no line feed, so no two pairs read the same.
    const auto& [first, second] = std::minmax(one.str(), other.str());
    return RoomId::trusted("~dm:" + auth::sha256_hex(first + '\n' + second));
}

Result<bool> make_pair_room(store::Directory& directory, const PairMember& one, const MemberId& other, WallTime now) {
    const RoomId id = pair_room(one.id, other);
    // Written last, so with it everything is there.
    const auto complete = directory.membership(id, other);
    if (!complete) return fail(complete.error());
    if (*complete) return false;
    const auto account = directory.account(other);
    if (!account) return fail(account.error());
    store::RoomInfo room;
    room.id = id;
    room.kind = store::RoomKind::kPair;
    room.visibility = store::Visibility::kPrivate;
    room.created_at = now;
    if (const auto made = directory.add_room(room, {}); !made && made.error().code != Code::kRoomExists) {
        return fail(made.error());
    }
    const std::string& name = *account ? (*account)->nickname : other.str();
    for (const auto& [member, nickname] : {PairMember{one.id, one.nickname}, PairMember{other, name}}) {
        const auto put = directory.put_membership(id, {member, nickname, store::Standing::kMember, RoomSeq{}});
        if (!put) return fail(put.error());
    }
    return true;
}

}  // namespace parley::chat
