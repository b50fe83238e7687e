#pragma once
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace parley::log {

/// A room that came out of a repair with less than its head promised, or of which that cannot be known.
struct RoomLoss {
    RoomId room;
    Epoch old_epoch;
    Epoch new_epoch;
    RoomSeq first;  ///< what is kept: first … head
    RoomSeq head;
    RoomSeq old_head;  ///< as far as it is known; 0: not at all
};

struct RepairReport {
    bool damaged = false;  ///< false: the store is whole, nothing was changed
    /// Parts of the store were left out whose content is unknown: every room has a new epoch.
    bool left_out = false;
    std::string method;  ///< how the store could be read at all
    std::uint64_t rooms = 0;
    std::uint64_t messages = 0;
    std::vector<RoomLoss> losses;
    std::string old_store;  ///< the folder with the store as it was; nothing in it was changed
};

/// Makes a store that starts again out of a damaged one: reads whatever is readable, keeps each room up
/// to its first hole, writes a new store and puts it in the old one's place. The old folder is kept.
///
/// A room that lost something, or may have, gets a new epoch, so that no client's position silently means
/// another message; it is named in the report. Dedup keys and heads are made anew from the messages.
/// Thread: any; the store must not be open (checked). Needs as much free space as the readable messages take.
/// Fails:  kStoreUnavailable, with the old store untouched in its place. May be called again after a crash.
[[nodiscard]] Result<RepairReport> repair(const std::string& data_dir, const Clock& clock);

/// For the operator, one fact a line.
[[nodiscard]] std::string to_text(const RepairReport& report);

}  // namespace parley::log
