#include "stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "adapters/postgres/database.h"
#include "adapters/postgres/postgres_directory.h"
#include "adapters/postgres/postgres_log.h"
#include "base/config_keys.h"
#include "base/logger.h"
#include "log/embedded_log.h"
#include "log/offline_reader.h"
#include "store/embedded_directory.h"

namespace parley::app {
namespace {

using postgres::Pool;
using Database = std::shared_ptr<Pool>;

bool has_postgres(const Config& config) { return config.get(keys::store_kind) == "postgres"; }
bool log_is_in_store(const Config& config) { return config.get(keys::log_kind) == "store"; }

std::filesystem::path directory_folder(const Config& config) {
    return std::filesystem::path{config.get(keys::data_dir)} / "directory";
}

template <class Key>
auto at_key(const Config& config, const Key& key, const Error& error) {
    return fail(error.code, fmt::format("{} ({}): {}", key.spec.name, config.origin(key), error.message));
}

Result<Database> open_postgres(const Config& config, postgres::Schema schema) {
    postgres::Settings settings;
    settings.url = config.get(keys::postgres_url);
    settings.schema = config.get(keys::postgres_schema);
    settings.connections = static_cast<std::size_t>(config.get(keys::postgres_connections));
    auto pool = postgres::open_database(std::move(settings), schema);
    if (!pool) return at_key(config, keys::postgres_url, pool.error());
    return Database{std::move(*pool)};
}

void report_trouble(const std::string& reason) {
    if (reason.empty()) {
        logger::info("log", "storing works again");
    } else {
        logger::error("log", "messages cannot be stored; senders are refused", {{"why", reason}});
    }
}

/// What may wait for the store: senders wait for memory, by what they have waiting, before this refuses them.
Bytes queue_limit(Bytes standard, Bytes memory) { return std::min(standard, Bytes{memory.count / 4}); }

Result<> open_embedded_log(Stores& stores, const Config& config, Bytes memory, const Clock& clock) {
    log::EmbeddedLogOptions options;
    options.data_dir = config.get(keys::data_dir);
    options.max_age = config.get(keys::log_keep_age);
    options.max_room_bytes = config.get(keys::log_keep_bytes);
    options.write_buffers = std::min(options.write_buffers, Bytes{memory.count / 8});
    options.cache = std::min(options.cache, Bytes{memory.count / 16});
    options.queue_limit = queue_limit(options.queue_limit, memory);
    options.on_trouble = [](const std::string& reason) { report_trouble(reason); };
    auto log = log::EmbeddedLog::open(std::move(options), clock);
    if (!log) return fail(std::move(log.error()));
    stores.log_stats = [log = log->get()] { return log->stats(); };
    stores.log = std::move(*log);
    return {};
}

Result<> open_postgres_log(Stores& stores, const Config& config, const Database& database, Bytes memory,
                           const Clock& clock) {
    postgres::PostgresLogOptions options;
    options.keep.max_age = config.get(keys::log_keep_age);
    options.keep.max_room_bytes = config.get(keys::log_keep_bytes);
    options.writer.queue_limit = queue_limit(options.writer.queue_limit, memory);
    options.writer.on_trouble = [](const std::string& reason) { report_trouble(reason); };
    auto log = postgres::PostgresLog::open(database, std::move(options), clock);
    if (!log) return at_key(config, keys::postgres_url, log.error());
    stores.log_stats = [log = log->get()] { return log->stats(); };
    stores.log = std::move(*log);
    return {};
}

/// Memberships are positions in one log: the database says whose.
Result<> claim(const Config& config, Pool& pool, log::RoomLog& log) {
    std::string name = postgres::kStoreLog;
    if (!log_is_in_store(config)) {
        const auto head = log.head(RoomId::trusted("~probe"));
        if (!head) return fail(head.error());
        name = std::to_string(head->epoch.value);
    }
    const auto claimed = postgres::claim_for_log(pool, name);
    if (!claimed) return at_key(config, keys::log_kind, claimed.error());
    return {};
}

}  // namespace

Result<Stores> open_stores(const Config& config, Bytes memory, const Clock& clock) {
    Stores stores;
    if (!has_postgres(config)) {
        if (auto log = open_embedded_log(stores, config, memory, clock); !log) return fail(log.error());
        auto directory = store::EmbeddedDirectory::open(directory_folder(config), clock);
        if (!directory) return fail(std::move(directory.error()));
        stores.directory = std::move(*directory);
        return stores;
    }
    const auto database = open_postgres(config, postgres::Schema::kMigrate);
    if (!database) return fail(database.error());
    const auto log = log_is_in_store(config) ? open_postgres_log(stores, config, *database, memory, clock)
                                             : open_embedded_log(stores, config, memory, clock);
    if (!log) return fail(log.error());
    if (auto claimed = claim(config, **database, *stores.log); !claimed) return fail(claimed.error());
    stores.directory = std::make_unique<postgres::PostgresDirectory>(*database);
    logger::info("parley", "members and rooms are in PostgreSQL",
                 {{"server", postgres::place(config.get(keys::postgres_url))},
                  {"schema", config.get(keys::postgres_schema)},
                  {"messages too", log_is_in_store(config)}});
    return stores;
}

Result<std::unique_ptr<store::Directory>> directory_to_read(const Config& config, const Clock& clock) {
    using Out = std::unique_ptr<store::Directory>;
    if (has_postgres(config)) {
        const auto database = open_postgres(config, postgres::Schema::kAsItIs);
        if (!database) return fail(database.error());
        return Out{std::make_unique<postgres::PostgresDirectory>(*database)};
    }
    if (!std::filesystem::exists(directory_folder(config))) return Out{};
    auto directory = store::EmbeddedDirectory::open_read_only(directory_folder(config), clock);
    if (!directory) return fail(std::move(directory.error()));
    return Out{std::move(*directory)};
}

Result<LogToRead> log_to_read(const Config& config, const Clock& clock) {
    const auto of = [](auto log) {
        return LogToRead{[log](const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
                             return log->read(room, after, limit, max);
                         },
                         [log](const RoomId& room, WallTime time) { return log->seek(room, time); }};
    };
    if (log_is_in_store(config)) {
        const auto database = open_postgres(config, postgres::Schema::kAsItIs);
        if (!database) return fail(database.error());
        return of(std::make_shared<postgres::LogReader>(*database));
    }
    auto log = log::OfflineReader::open(config.get(keys::data_dir), clock);
    if (!log) return fail(std::move(log.error()));
    return of(std::make_shared<log::OfflineReader>(std::move(*log)));
}

}  // namespace parley::app
