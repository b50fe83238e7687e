#pragma once
#include <cstdint>
#include <memory>

#include "adapters/postgres/pool.h"

namespace parley::postgres {

/// What open_database() may change.
enum class Schema : std::uint8_t {
    kMigrate,  ///< makes the tables, or brings them from an earlier version to this one's
    kAsItIs,   ///< for a look at the tables of a running server
};

/// Checks the server and the version of the tables. `settings.schema` is a plain lower-case name.
/// Error: one sentence for the operator (kStoreUnavailable; kBadRequest for the URL): not reachable, refused, not
/// durable, rights missing, tables of a later version.
Result<std::unique_ptr<Pool>> open_database(Settings settings, Schema schema = Schema::kMigrate);

/// The log that is kept in the database itself; an embedded one is named by its epoch.
inline constexpr const char* kStoreLog = "store";
/// The log that is a Kafka topic.
inline constexpr const char* kKafkaLog = "kafka";
/// Notes which log the memberships and read marks of this database belong to; the first to say it decides.
/// Error: it is another one, such as another server's embedded log.
Result<> claim_for_log(Pool& pool, const std::string& log);

}  // namespace parley::postgres
