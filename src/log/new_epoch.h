#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace parley::log {

struct NewEpoch {
    Epoch epoch;
    std::uint64_t rooms = 0;
};

/// For a store that came out of a backup: every room gets one epoch above all it had, and those to come have it too. A
/// client's position from after the backup would else mean another message.
///
/// Thread: any; the store must not be open (checked).
/// Fails:  kStoreUnavailable: in use, damaged, not there. Cut off, some rooms have theirs: it is to be called again.
[[nodiscard]] Result<NewEpoch> renew_epoch(const std::string& data_dir, const Clock& clock);

}  // namespace parley::log
