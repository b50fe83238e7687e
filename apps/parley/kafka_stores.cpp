#include "kafka_stores.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "adapters/kafka/dead_letter_topic.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/kafka/lag_watch.h"
#include "adapters/kafka/other_writers.h"
#include "adapters/kafka/shared_reader.h"
#include "adapters/kafka/table_writer.h"
#include "base/config_keys.h"
#include "base/logger.h"

namespace parley::app {
Result<kafka::Settings> kafka_settings(const Config& config) {
    kafka::Settings out;
    out.brokers = config.get(keys::kafka_brokers);
    out.topic = config.get(keys::kafka_topic);
    out.partitions = static_cast<std::uint32_t>(config.get(keys::kafka_partitions));
    out.replication = static_cast<std::uint32_t>(config.get(keys::kafka_replication));
    out.retention = config.get(keys::kafka_retention);
    out.compression = config.get(keys::kafka_compression);
    out.linger = config.get(keys::kafka_linger);
    out.batch = config.get(keys::kafka_batch);
    out.group_prefix = config.get(keys::kafka_group_prefix);
    out.dedup_window = static_cast<std::uint64_t>(config.get(keys::log_dedup_window));
    const std::string& name = config.get(keys::kafka_properties);
    if (name.empty()) return out;
    std::ifstream file{name};
    if (!file) return at_key(config, keys::kafka_properties, {Code::kBadRequest, name + " cannot be read"});
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    auto properties = kafka::parse_properties(text);
    if (!properties)
        return at_key(config, keys::kafka_properties, {Code::kBadRequest, name + ", " + properties.error().message});
    out.properties = std::move(*properties);
    return out;
}

namespace {

Result<std::shared_ptr<kafka::LagWatch>> watch_lag(const kafka::Settings& settings, const Config& config,
                                                   const std::string& of_server, kafka::KafkaLog& log,
                                                   log::MessageTable& table) {
    kafka::LagWatchOptions options;
    // Wherever they run.
    options.groups = {"notification", "analytics"};
    options.group_end = of_server;
    options.every = config.get(keys::kafka_lag_interval);
    options.warn_at = static_cast<std::uint64_t>(config.get(keys::kafka_lag_warn));
    options.on_change = [](const std::string& reader, std::uint64_t records, kafka::LagAlarm::Change change) {
        if (change == kafka::LagAlarm::Change::kBehind) {
            logger::warn("kafka", "a reader of the topic is far behind", {{"reader", reader}, {"records", records}});
        } else {
            logger::info("kafka", "a reader of the topic has caught up", {{"reader", reader}, {"records", records}});
        }
    };
    auto watch = kafka::LagWatch::open(settings, std::move(options), log, table);
    if (!watch) return at_key(config, keys::kafka_brokers, watch.error());
    return std::shared_ptr<kafka::LagWatch>{std::move(*watch)};
}

/// Of a server with members, rooms and history of its own.
Result<> check_alone_on_topic(const kafka::Settings& settings, const Config& config, const std::string& of_server) {
    const auto other = kafka::other_table_writers(settings, settings.group_prefix + kafka::kTableWriters + of_server);
    if (!other) {
        logger::warn("kafka", "whether another server has this topic cannot be seen", {{"why", other.error().message}});
        return {};
    }
    if (!*other) return {};
    return at_key(config, keys::store_kind,
                  {Code::kStoreUnavailable,
                   fmt::format("another server is on the topic {} (it reads in the group {}), and of its members and "
                               "rooms this one would know nothing: servers that share a topic need a database in "
                               "common, store.kind=postgres. A server that died is forgotten after 10 s",
                               settings.topic, **other)});
}

Result<std::shared_ptr<kafka::TableWriter>> write_table(const kafka::Settings& settings, const Config& config,
                                                        const std::string& of_server, log::MessageTable& table) {
    kafka::TableWriterOptions writing;
    writing.group += of_server;
    writing.on_trouble = [](const std::string& reason) {
        if (reason.empty()) {
            logger::info("log", "messages reach the store again");
        } else {
            logger::error("log", "messages do not reach the store; history ends before them", {{"why", reason}});
        }
    };
    auto writer = kafka::TableWriter::open(settings, std::move(writing), table);
    if (!writer) return at_key(config, keys::kafka_brokers, writer.error());
    return std::shared_ptr<kafka::TableWriter>{std::move(*writer)};
}

}  // namespace

Result<> open_kafka_log(Stores& stores, const Config& config, std::unique_ptr<log::MessageTable> table,
                        const TableUse& use, Bytes memory, const Clock& clock) {
    const std::string& of_server = use.of_server;
    auto settings = kafka_settings(config);
    if (!settings) return fail(settings.error());
    kafka::KafkaLogOptions options;
    options.queue_limit = std::min(options.queue_limit, Bytes{memory.count / 8});
    options.recent_limit = std::min(options.recent_limit, Bytes{memory.count / 8});
    options.on_trouble = [](const std::string& reason) { report_trouble(reason); };
    auto log = kafka::KafkaLog::open(*settings, std::move(options), *table, clock);
    if (!log) return at_key(config, keys::kafka_brokers, log.error());
    if (!of_server.empty()) {
        if (auto alone = check_alone_on_topic(*settings, config, of_server); !alone) return alone;
    }
    settings->partitions = static_cast<std::uint32_t>((*log)->positions().size());  // what the topic has
    std::shared_ptr<kafka::TableWriter> table_writer;
    if (use.writing == TableWriting::kHere) {
        auto writer = write_table(*settings, config, of_server, *table);
        if (!writer) return fail(writer.error());
        table_writer = std::move(*writer);
    }
    const auto lag = watch_lag(*settings, config, of_server, **log, *table);
    if (!lag) return fail(lag.error());
    stores.lags = [watch = lag->get()] { return watch->last(); };
    stores.lag_partitions = (*lag)->partitions();
    stores.lag_watch = *lag;
    stores.faults = [log = log->get(), writer = table_writer.get()] {
        std::vector<std::string> out;
        if (!log->stats().available) out.emplace_back("log");
        if (!log->table_answers()) out.emplace_back("store");
        const bool is_stored = writer != nullptr ? writer->is_well() : !log->table_stands_still();
        if (!is_stored) out.emplace_back(kafka::kTableWriters);
        return out;
    };
    stores.own_fault = [log = log->get()] {
        const char* const why = "this server takes no messages until it is restarted; its log says why";
        return std::string{log->broken().empty() ? "" : why};
    };
    stores.log_stats = [log = log->get()] { return log->stats(); };
    stores.on_own_commit = [log = log->get()](log::RoomLog::CommitListener listener) {
        log->on_own_commit(std::move(listener));
    };
    stores.share_reading = [settings = *settings, log = log->get(), of_server](const std::string& name,
                                                                               log::SharedReading::Listener& listener) {
        auto reader = kafka::SharedReader::open(
            settings, name + of_server, [log] { return log->positions(); }, listener);
        using Out = Result<std::unique_ptr<log::SharedReading>>;
        return reader ? Out{std::move(*reader)} : Out{fail(reader.error())};
    };
    stores.put_dead_letter =
        [topic = std::make_shared<kafka::DeadLetterTopic>(*settings, config.get(keys::kafka_dead_letters), clock)](
            const auto& role, const auto& message, const auto& reason) { return topic->put(role, message, reason); };
    stores.table = std::move(table);
    stores.log = std::move(*log);
    stores.table_writer = table_writer;
    logger::info(
        "parley", "messages are in Kafka",
        {{"brokers", settings->brokers}, {"topic", settings->topic}, {"db-writer", stores.table_writer != nullptr}});
    return {};
}

}  // namespace parley::app
