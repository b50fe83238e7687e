#include "shared_store.h"

#include <algorithm>

#include "adapters/mongo/database.h"
#include "adapters/mongo/mongo_directory.h"
#include "adapters/mongo/mongo_ledger.h"
#include "adapters/mongo/mongo_log.h"
#include "adapters/postgres/database.h"
#include "adapters/postgres/postgres_directory.h"
#include "adapters/postgres/postgres_ledger.h"
#include "adapters/postgres/postgres_log.h"
#include "adapters/postgres/postgres_table.h"
#include "base/config_keys.h"
#include "base/logger.h"

namespace parley::app {
namespace {

template <class Options>
Options log_options(SharedStore::LogSettings settings) {
    Options out;
    out.keep.max_age = settings.max_age;
    out.keep.max_room_bytes = settings.max_room_bytes;
    out.writer.queue_limit = std::min(out.writer.queue_limit, settings.queue_limit);
    out.writer.on_trouble = std::move(settings.on_trouble);
    return out;
}

template <class Log>
Result<SharedStore::Log> opened(Result<std::unique_ptr<Log>> log) {
    if (!log) return fail(std::move(log.error()));
    Log* const stored = log->get();
    return SharedStore::Log{std::move(*log), [stored] { return stored->stats(); }};
}

template <class Reader>
LogToRead reads(std::shared_ptr<Reader> log) {
    return {[log](const RoomId& room, RoomSeq after, std::size_t limit, Bytes max) {
                return log->read(room, after, limit, max);
            },
            [log](const RoomId& room, WallTime time) { return log->seek(room, time); }};
}

template <class Reader>
log::ListRooms lists(Reader log) {
    return [log = std::move(log)](const RoomId& after, WallTime since, std::size_t limit) {
        return log.rooms(after, since, limit);
    };
}

class InPostgres final : public SharedStore {
public:
    explicit InPostgres(std::unique_ptr<postgres::Pool> pool) : pool_(std::move(pool)) {}

    std::unique_ptr<store::Directory> directory() override {
        return std::make_unique<postgres::PostgresDirectory>(pool_);
    }
    Result<Log> open_log(LogSettings settings, const Clock& clock) override {
        auto options = log_options<postgres::PostgresLogOptions>(std::move(settings));
        return opened(postgres::PostgresLog::open(pool_, std::move(options), clock));
    }
    std::unique_ptr<store::Ledger> ledger() override { return std::make_unique<postgres::PostgresLedger>(pool_); }
    log::ListRooms list_rooms() override { return lists(postgres::LogReader{pool_}); }
    Result<LogToRead> log_to_read() override { return reads(std::make_shared<postgres::LogReader>(pool_)); }
    Result<std::unique_ptr<log::MessageTable>> table() override {
        return std::unique_ptr<log::MessageTable>{std::make_unique<postgres::PostgresTable>(pool_)};
    }
    Result<> claim(const std::string& log) override { return postgres::claim_for_log(*pool_, log); }
    void announce(bool with_messages) const override {
        logger::info("parley", "members and rooms are in PostgreSQL",
                     {{"server", postgres::place(pool_->settings().url)},
                      {"schema", pool_->settings().schema},
                      {"messages too", with_messages}});
    }

private:
    const std::shared_ptr<postgres::Pool> pool_;
};

class InMongo final : public SharedStore {
public:
    explicit InMongo(std::unique_ptr<mongo::Pool> pool) : pool_(std::move(pool)) {}

    std::unique_ptr<store::Directory> directory() override { return std::make_unique<mongo::MongoDirectory>(pool_); }
    Result<Log> open_log(LogSettings settings, const Clock& clock) override {
        auto options = log_options<mongo::MongoLogOptions>(std::move(settings));
        return opened(mongo::MongoLog::open(pool_, std::move(options), clock));
    }
    std::unique_ptr<store::Ledger> ledger() override { return std::make_unique<mongo::MongoLedger>(pool_); }
    log::ListRooms list_rooms() override { return lists(mongo::LogReader{pool_, {}}); }
    Result<LogToRead> log_to_read() override {
        const auto epoch = mongo::epoch_of(*pool_);
        if (!epoch) return fail(epoch.error());
        return reads(std::make_shared<mongo::LogReader>(pool_, Epoch{*epoch}));
    }
    Result<std::unique_ptr<log::MessageTable>> table() override {
        return fail(Code::kBadRequest, "MongoDB keeps no messages of a topic yet");
    }
    Result<> claim(const std::string& log) override { return mongo::claim_for_log(*pool_, log); }
    void announce(bool with_messages) const override {
        logger::info("parley", "members and rooms are in MongoDB",
                     {{"server", mongo::place(pool_->settings().url)},
                      {"database", pool_->settings().database},
                      {"messages too", with_messages}});
    }

private:
    const std::shared_ptr<mongo::Pool> pool_;
};

/// The store over an opened pool, or the reason at its key.
template <class Store, class Pool, class Key>
Result<std::unique_ptr<SharedStore>> over(Result<std::unique_ptr<Pool>> pool, const Config& config, const Key& url) {
    if (!pool) return at_key(config, url, pool.error());
    return std::unique_ptr<SharedStore>{std::make_unique<Store>(std::move(*pool))};
}

}  // namespace

Result<std::unique_ptr<SharedStore>> open_shared_store(const Config& config, Use use) {
    const bool serves = use == Use::kServe;
    if (config.get(keys::store_kind) == "mongodb") {
        mongo::Settings settings;
        settings.url = config.get(keys::mongo_url);
        settings.database = config.get(keys::mongo_database);
        settings.connections = static_cast<std::size_t>(config.get(keys::mongo_connections));
        const auto schema = serves ? mongo::Schema::kMigrate : mongo::Schema::kAsItIs;
        return over<InMongo>(mongo::open_database(std::move(settings), schema), config, keys::mongo_url);
    }
    postgres::Settings settings;
    settings.url = config.get(keys::postgres_url);
    settings.schema = config.get(keys::postgres_schema);
    settings.connections = static_cast<std::size_t>(config.get(keys::postgres_connections));
    const auto schema = serves ? postgres::Schema::kMigrate : postgres::Schema::kAsItIs;
    return over<InPostgres>(postgres::open_database(std::move(settings), schema), config, keys::postgres_url);
}

}  // namespace parley::app
