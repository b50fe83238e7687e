#include "adapters/mongo/database.h"

#include <fmt/format.h>

#include "adapters/mongo/commands.h"
#include "adapters/mongo/schema.h"
#include "base/clock.h"

namespace parley::mongo {
namespace {

Document meta_filter() { return Document{}.text("_id", kMetaId); }

/// Without a field where there is none yet.
Result<Document> meta(Pool& pool) {
    auto found = pool.find(find(collection::kMeta, meta_filter()));
    if (!found) return fail(std::move(found.error()));
    return found->empty() ? Document{} : std::move(found->front());
}

std::string describe(const std::string& log) {
    return log == kStoreLog ? "log.kind=store" : fmt::format("the embedded log {}", log);
}

/// The steps after `version`, then the version itself: a server that stops in between leaves what the next one does
/// once more. A write in any case: it shows that a majority confirms one.
Result<> migrate(Pool& pool, std::uint64_t version) {
    const auto& steps = schema_steps();
    for (std::size_t step = version; step < steps.size(); ++step) {
        for (const Document& command : steps[step]) {
            if (auto made = pool.run(command); !made) return fail(std::move(made.error()));
        }
    }
    const auto now = static_cast<std::uint64_t>(SystemClock{}.wall().time_since_epoch().count());
    Document noted;
    noted.document("$max", Document{}.number("version", steps.size()));
    noted.document("$setOnInsert", formatted().number("epoch", now).text("log", ""));
    const Document note = update(collection::kMeta, {change(meta_filter(), noted, Else::kInsert)});
    auto written = pool.run(note);
    // Another server made it at the same time.
    if (written && !written->duplicates.empty()) written = pool.run(note);
    if (!written) return fail(std::move(written.error()));
    return {};
}

}  // namespace

Result<> check_format(const Document& document) {
    const std::uint64_t format = document.number("v");
    if (format <= kFormat) return {};
    return fail(Code::kStoreUnavailable,
                fmt::format("MongoDB: a document has format {}; this Parley knows {}", format, kFormat));
}

Result<std::unique_ptr<Pool>> open_database(Settings settings, Schema schema) {
    auto pool = std::make_unique<Pool>(std::move(settings));
    const std::string& name = pool->settings().database;
    const auto found = meta(*pool);
    if (!found) return fail(found.error());
    if (auto known = check_format(*found); !known) return fail(std::move(known.error()));
    const std::uint64_t version = found->number("version");
    const std::uint64_t ours = schema_steps().size();
    if (version > ours) {
        return fail(Code::kStoreUnavailable,
                    fmt::format("MongoDB: database {} is of version {}; this Parley knows versions up to {}: start a "
                                "later Parley",
                                name, version, ours));
    }
    if (schema == Schema::kMigrate) {
        if (auto migrated = migrate(*pool, version); !migrated) return fail(std::move(migrated.error()));
    } else if (version < ours) {
        return fail(
            Code::kStoreUnavailable,
            fmt::format("MongoDB: nothing of this Parley's version is in database {}: `parley serve` makes it", name));
    }
    return pool;
}

Result<std::uint64_t> epoch_of(Pool& pool) {
    const auto found = meta(pool);
    if (!found) return fail(found.error());
    return found->number("epoch");
}

Result<> claim_for_log(Pool& pool, const std::string& log) {
    Document nobodys = meta_filter();
    nobodys.text("log", "");
    const auto claimed = pool.run(
        update(collection::kMeta, {change(nobodys, Document{}.document("$set", Document{}.text("log", log)))}));
    if (!claimed) return fail(claimed.error());
    const auto found = meta(pool);
    if (!found) return fail(found.error());
    const std::string owner = found->text("log");
    if (owner == log) return {};
    return fail(Code::kStoreUnavailable,
                fmt::format("MongoDB: database {} belongs to {}, this server has {}: members and read marks are "
                            "positions in one log and fit no other",
                            pool.settings().database, describe(owner), describe(log)));
}

}  // namespace parley::mongo
