#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace parley::store {

struct DirectoryRepair {
    bool damaged = false;       ///< false: the directory is whole, nothing was changed
    std::uint64_t records = 0;  ///< accounts, rooms, standings, marks that can be read now
    std::string old_folder;     ///< a copy of the directory as it was
};

/// Makes a damaged directory open again with whatever of it is readable, and keeps a copy of how it was. What is lost
/// cannot be named: the old folder is there to compare with.
/// Thread: any; the directory must not be open. Fails: kStoreUnavailable, with the directory as it was.
[[nodiscard]] Result<DirectoryRepair> repair(const std::filesystem::path& folder, const Clock& clock);

/// For the operator, one fact a line.
[[nodiscard]] std::string to_text(const DirectoryRepair& report);

}  // namespace parley::store
