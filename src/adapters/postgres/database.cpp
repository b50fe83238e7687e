#include "adapters/postgres/database.h"

#include <fmt/format.h>

#include "adapters/postgres/schema.h"

namespace parley::postgres {
namespace {

constexpr milliseconds kMigrationLimit{60'000};

constexpr Statement kHasVersions{"has_versions", "SELECT to_regclass($1) IS NOT NULL, to_regnamespace($2) IS NOT NULL"};
constexpr Statement kVersion{"version", "SELECT coalesce(max(version), 0) FROM versions"};
constexpr Statement kClaim{"claim", R"(
    WITH claimed AS (UPDATE meta SET log = $1 WHERE log = '' OR log = $1 RETURNING log)
    SELECT coalesce((SELECT log FROM claimed), (SELECT log FROM meta)))"};

std::string describe(const std::string& log) {
    return log == kStoreLog || log == kKafkaLog ? "log.kind=" + log : fmt::format("the embedded log {}", log);
}

struct Found {
    bool schema = false;
    std::uint64_t version = 0;  ///< 0: no tables
};

Result<Found> look(Connection& connection, const std::string& schema, Deadline deadline) {
    Params names;
    names.text("\"" + schema + "\".versions").text("\"" + schema + "\"");
    auto there = connection.run(kHasVersions, std::move(names), deadline);
    if (!there) return fail(std::move(there.error()));
    Found found{there->flag(0, 1), 0};
    if (!there->flag(0, 0)) return found;
    const auto version = connection.run(kVersion, {}, deadline);
    if (!version) return fail(version.error());
    found.version = version->number(0, 0);
    return found;
}

Result<> check_known(const Found& found, const std::string& schema) {
    if (found.version <= kSteps.size()) return {};
    return fail(
        Code::kStoreUnavailable,
        fmt::format("PostgreSQL: the tables in schema {} are of version {}; this Parley knows versions up to {}: "
                    "start a later Parley",
                    schema, found.version, kSteps.size()));
}

/// All missing steps in one transaction. Servers that start together take turns.
Result<> migrate(Connection& connection, const std::string& schema, Deadline deadline) {
    const std::string begin = fmt::format(
        "BEGIN; SET LOCAL statement_timeout = {}; SELECT pg_advisory_xact_lock(hashtext('parley schema {}'))",
        kMigrationLimit.count(), schema);
    if (auto begun = connection.script(begin, deadline); !begun) return begun;
    const auto found = look(connection, schema, deadline);
    if (!found) return fail(found.error());
    if (auto known = check_known(*found, schema); !known) return known;
    std::string sql;
    if (!found->schema) sql += fmt::format("CREATE SCHEMA \"{}\";", schema);
    if (found->version == 0) {
        sql += "CREATE TABLE versions (version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now());";
    }
    for (std::size_t step = found->version; step < kSteps.size(); ++step) {
        sql += fmt::format("{}; INSERT INTO versions (version) VALUES ({});", kSteps[step], step + 1);
    }
    return connection.script(sql + "COMMIT", deadline);
}

}  // namespace

Result<std::unique_ptr<Pool>> open_database(Settings settings, Schema schema) {
    auto pool = std::make_unique<Pool>(std::move(settings));
    auto ready = pool->with([&](Connection& connection, Deadline deadline, bool) -> Result<> {
        const std::string& name = pool->settings().schema;
        const auto found = look(connection, name, deadline);
        if (!found) return fail(found.error());
        if (auto known = check_known(*found, name); !known) return known;
        if (found->version == kSteps.size()) return {};
        if (schema == Schema::kMigrate) return migrate(connection, name, in(kMigrationLimit));
        return fail(
            Code::kStoreUnavailable,
            fmt::format("PostgreSQL: there are no tables of this Parley's version in schema {}: `parley serve` makes "
                        "them",
                        name));
    });
    if (!ready) return fail(std::move(ready.error()));
    return pool;
}

Result<> claim_for_log(Pool& pool, const std::string& log) {
    Params params;
    params.text(log);
    const auto claimed = pool.run(kClaim, params);
    if (!claimed) return fail(claimed.error());
    if (claimed->text(0, 0) == log) return {};
    return fail(
        Code::kStoreUnavailable,
        fmt::format("PostgreSQL: schema {} belongs to {}, this server has {}: members and read marks are positions "
                    "in one log and fit no other",
                    pool.settings().schema, describe(claimed->text(0, 0)), describe(log)));
}

}  // namespace parley::postgres
