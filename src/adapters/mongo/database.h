#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "adapters/mongo/pool.h"

namespace parley::mongo {

/// What open_database() may change.
enum class Schema : std::uint8_t {
    kMigrate,  ///< makes the indexes, or brings them from an earlier version to this one's
    kAsItIs,   ///< for a look at the database of a running server
};

/// Checks the server, that a majority confirms a write in its journal, and the version of the database.
/// Error: one sentence for the operator (kStoreUnavailable; kBadRequest for the URL): not reachable, refused, not
/// durable, rights missing, a database of a later version.
Result<std::unique_ptr<Pool>> open_database(Settings settings, Schema schema = Schema::kMigrate);

/// The epoch of its rooms. It changes only while no server runs.
Result<std::uint64_t> epoch_of(Pool& pool);

/// The log that is kept in the database itself; an embedded one is named by its epoch.
inline constexpr const char* kStoreLog = "store";
/// Notes which log the memberships and read marks of this database belong to; the first to say it decides.
/// Error: it is another one, such as another server's embedded log.
Result<> claim_for_log(Pool& pool, const std::string& log);

/// `document` has a format that this version reads. Error: kStoreUnavailable.
Result<> check_format(const Document& document);

}  // namespace parley::mongo
