#pragma once
#include <cstddef>
#include <string>

#include "base/room_change.h"
#include "log/room_log.h"
#include "store/directory.h"

namespace parley::chat {

/// Brings what a SYSTEM record at `seq` says into the directory. Repeating it, or applying an older one after a later
/// one, changes nothing. Blocks on the disk. Fails as the directory does.
Result<> apply_change(store::Directory& directory, const RoomId& room, const RoomChange& change,
                      const std::string& nickname, RoomSeq seq);

/// Finishes the changes in flight: applies those the log has stored, drops the notes of those it has not. Returns how
/// many were applied.
/// For the start of a server, before it listens: nothing may be on its way. Blocks on the disk.
/// Fails: kStoreUnavailable; what is left stays noted.
Result<std::size_t> settle_changes(log::RoomLog& log, store::Directory& directory);

}  // namespace parley::chat
