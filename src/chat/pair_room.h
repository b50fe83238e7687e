#pragma once
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "store/directory.h"

namespace parley::chat {

/// The room two members have for themselves, whoever of them asks: `~dm:` and a hash of their ids, sorted. Nobody else
/// can name it. A member has one with itself, too.
[[nodiscard]] RoomId pair_room(const MemberId& one, const MemberId& other);

struct PairMember {
    MemberId id;
    std::string nickname;
};
/// Makes their room with both as members, as far as it is not there. True: something was made. Blocks on the disk.
/// Fails as the directory does; trying again completes what was begun.
Result<bool> make_pair_room(store::Directory& directory, const PairMember& one, const MemberId& other, WallTime now);

}  // namespace parley::chat
