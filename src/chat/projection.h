#pragma once
#include <string>
#include <vector>

#include "base/room_change.h"
#include "log/room_log.h"
#include "store/directory.h"

namespace parley::chat {

/// Brings what a SYSTEM record at `seq` says into the directory. Repeating it, or applying an older one after a later
/// one, changes nothing. Blocks on the disk. Fails as the directory does.
Result<> apply_change(store::Directory& directory, const RoomId& room, const RoomChange& change,
                      const std::string& nickname, RoomSeq seq);

struct SettledChange {
    RoomId room;
    RoomChange change;
};

/// Finishes these changes: applies those the log has stored, drops the notes of those it has not. Returns what was
/// applied. None of them may be on its way: the log has answered for it, and stored something since. Blocks on the
/// disk. Fails: kStoreUnavailable; what is left stays noted.
Result<std::vector<SettledChange>> settle_changes(log::RoomLog& log, store::Directory& directory,
                                                  std::vector<store::ChangeInFlight> changes);
/// All that are noted. For the start of a server, before it listens. A note that was made after `others_since` may be
/// of a change another server is at just now: it stays unless the log has it.
Result<std::vector<SettledChange>> settle_changes(log::RoomLog& log, store::Directory& directory,
                                                  WallTime others_since = WallTime::max());

}  // namespace parley::chat
