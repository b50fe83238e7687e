#include "stores.h"

#include <algorithm>
#include <filesystem>

#include "base/config_keys.h"
#include "base/logger.h"
#include "kafka_stores.h"
#include "log/embedded_log.h"
#include "log/embedded_table.h"
#include "log/offline_reader.h"
#include "settings.h"
#include "shared_store.h"
#include "store/embedded_directory.h"
#include "store/embedded_ledger.h"

namespace parley::app {
namespace {

bool store_is_shared(const Config& config) { return config.get(keys::store_kind) != "embedded"; }
bool log_is_a_topic(const Config& config) { return config.get(keys::log_kind) == "kafka"; }
bool log_is_in_store(const Config& config) { return config.get(keys::log_kind) == "store"; }

std::filesystem::path directory_folder(const Config& config) {
    return std::filesystem::path{config.get(keys::data_dir)} / "directory";
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
    if (const auto made = make_data_dir(config); !made) return fail(made.error());
    auto log = log::EmbeddedLog::open(std::move(options), clock);
    if (!log) return at_key(config, keys::data_dir, log.error());
    stores.log_stats = [log = log->get()] { return log->stats(); };
    stores.list_rooms = [log = log->get()](const RoomId& after, WallTime since, std::size_t limit) {
        return log->rooms(after, since, limit);
    };
    stores.log = std::move(*log);
    return {};
}

Result<> open_shared_log(Stores& stores, const Config& config, SharedStore& shared, Bytes memory, const Clock& clock) {
    SharedStore::LogSettings settings;
    settings.max_age = config.get(keys::log_keep_age);
    settings.max_room_bytes = config.get(keys::log_keep_bytes);
    settings.queue_limit = queue_limit({SIZE_MAX}, memory);
    settings.on_trouble = [](const std::string& reason) { report_trouble(reason); };
    auto log = shared.open_log(std::move(settings), clock);
    if (!log) return at_key(config, keys::log_kind, log.error());
    stores.log = std::move(log->log);
    stores.log_stats = std::move(log->stats);
    return {};
}

/// Its messages are kept in the shared store, or, without one (null), in `data_dir`.
Result<> open_log_over_topic(Stores& stores, const Config& config, SharedStore* shared, TableWriting writing,
                             Bytes memory, const Clock& clock) {
    if (shared != nullptr) {
        auto table = shared->table();
        if (!table) return at_key(config, keys::store_kind, table.error());
        return open_kafka_log(stores, config, std::move(*table), {writing}, memory, clock);
    }
    if (const auto made = make_data_dir(config); !made) return fail(made.error());
    auto table = log::EmbeddedTable::open(config.get(keys::data_dir), clock);
    if (!table) return at_key(config, keys::data_dir, table.error());
    const auto head = (*table)->head(RoomId::trusted("~probe"));
    if (!head) return fail(head.error());
    // Table and ledger are this server's alone.
    const TableUse use{.of_server = fmt::format(".{}", head->epoch.value)};
    return open_kafka_log(stores, config, std::move(*table), use, memory, clock);
}

/// `shared` is null where there is none.
Result<> open_log(Stores& stores, const Config& config, SharedStore* shared, TableWriting writing, Bytes memory,
                  const Clock& clock) {
    if (log_is_a_topic(config)) return open_log_over_topic(stores, config, shared, writing, memory, clock);
    if (log_is_in_store(config)) return open_shared_log(stores, config, *shared, memory, clock);
    return open_embedded_log(stores, config, memory, clock);
}

/// `data_dir`, where a server has stored something in its folder `name`.
Result<std::filesystem::path> folder_to_read(const Config& config, const char* name) {
    const std::filesystem::path folder = config.get(keys::data_dir);
    std::error_code none;
    if (std::filesystem::exists(folder / name) && !std::filesystem::is_empty(folder / name, none)) return folder;
    return at_key(config, keys::data_dir, {Code::kNotFound, "no server has stored anything in " + folder.string()});
}

template <class Log>
LogToRead reads(std::shared_ptr<Log> log) {
    return {[log](const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
                return log->read(room, after, limit, max);
            },
            [log](const RoomId& room, WallTime time) { return log->seek(room, time); }};
}

/// Memberships are positions in one log: the database says whose.
Result<> claim(const Config& config, SharedStore& shared, log::RoomLog& log) {
    std::string name = SharedStore::kLog;
    if (!log_is_in_store(config)) {
        const auto head = log.head(RoomId::trusted("~probe"));
        if (!head) return fail(head.error());
        name = std::to_string(head->epoch.value);
    }
    const auto claimed = shared.claim(name);
    if (!claimed) return at_key(config, keys::log_kind, claimed.error());
    return {};
}

}  // namespace

void report_trouble(const std::string& reason) {
    if (reason.empty()) {
        logger::info("log", "storing works again");
    } else {
        logger::error("log", "messages cannot be stored; senders are refused", {{"why", reason}});
    }
}

TableWriting table_writing(const std::vector<std::string>& roles) {
    const bool here = std::ranges::find(roles, "db-writer") != roles.end();
    return here ? TableWriting::kHere : TableWriting::kElsewhere;
}

Result<Stores> open_stores(const Config& config, TableWriting writing, Bytes memory, const Clock& clock) {
    Stores stores;
    if (!store_is_shared(config)) {
        if (auto log = open_log(stores, config, nullptr, writing, memory, clock); !log) return fail(log.error());
        auto directory = store::EmbeddedDirectory::open(directory_folder(config), clock);
        if (!directory) return at_key(config, keys::data_dir, directory.error());
        stores.ledger = (*directory)->ledger();
        stores.directory = std::move(*directory);
        return stores;
    }
    const auto shared = open_shared_store(config, Use::kServe);
    if (!shared) return fail(shared.error());
    if (auto log = open_log(stores, config, shared->get(), writing, memory, clock); !log) return fail(log.error());
    if (!log_is_a_topic(config)) {  // the table of a topic has said so
        if (auto claimed = claim(config, **shared, *stores.log); !claimed) return fail(claimed.error());
    }
    stores.directory = (*shared)->directory();
    stores.ledger = (*shared)->ledger();
    stores.ledger_is_shared = true;
    if (log_is_in_store(config)) stores.list_rooms = (*shared)->list_rooms();
    (*shared)->announce(log_is_in_store(config) || log_is_a_topic(config));
    return stores;
}

Result<std::unique_ptr<store::Directory>> directory_to_read(const Config& config, const Clock& clock) {
    using Out = std::unique_ptr<store::Directory>;
    if (store_is_shared(config)) {
        const auto shared = open_shared_store(config, Use::kLook);
        if (!shared) return fail(shared.error());
        return (*shared)->directory();
    }
    if (!std::filesystem::exists(directory_folder(config))) return Out{};
    auto directory = store::EmbeddedDirectory::open_read_only(directory_folder(config), clock);
    if (!directory) return fail(std::move(directory.error()));
    return Out{std::move(*directory)};
}

Result<std::unique_ptr<log::MessageTable>> table_to_read(const Config& config, const Clock& clock) {
    using Out = std::unique_ptr<log::MessageTable>;
    if (store_is_shared(config)) {
        const auto shared = open_shared_store(config, Use::kLook);
        if (!shared) return fail(shared.error());
        return (*shared)->table();
    }
    const auto folder = folder_to_read(config, "topic");
    if (!folder) return fail(folder.error());
    auto table = log::EmbeddedTable::open_read_only(*folder, clock);
    if (!table) return at_key(config, keys::data_dir, table.error());
    return Out{std::move(*table)};
}

Result<LogToRead> log_to_read(const Config& config, const Clock& clock) {
    if (log_is_in_store(config) || (log_is_a_topic(config) && store_is_shared(config))) {
        const auto shared = open_shared_store(config, Use::kLook);
        if (!shared) return fail(shared.error());
        return (*shared)->log_to_read();
    }
    if (log_is_a_topic(config)) {
        auto table = table_to_read(config, clock);
        if (!table) return fail(table.error());
        return reads(std::shared_ptr<log::MessageTable>{std::move(*table)});
    }
    const auto folder = folder_to_read(config, "log");
    if (!folder) return fail(folder.error());
    auto opened = log::OfflineReader::open(*folder, clock);
    if (!opened) return at_key(config, keys::data_dir, opened.error());
    return reads(std::make_shared<log::OfflineReader>(std::move(*opened)));
}

}  // namespace parley::app
