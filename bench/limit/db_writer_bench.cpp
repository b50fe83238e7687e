#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "../tests/contract/bench_support.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/kafka/murmur2.h"
#include "adapters/kafka/table_writer.h"
#include "adapters/postgres/database.h"
#include "adapters/postgres/postgres_table.h"
#include "base/temp_dir.h"
#include "log/embedded_table.h"

// What the db-writer, from a topic into PostgreSQL, reaches of COPY of the same batches into the same table.
namespace parley {
namespace {

using std::chrono::steady_clock;

constexpr int kMessages = 60'000;
constexpr int kBatch = 100;
constexpr int kRooms = 64;
constexpr int kRounds = 5;
constexpr std::uint32_t kPartitions = 6;

const SystemClock kClock;

kafka::Settings topic_settings(const std::string& brokers) {
    kafka::Settings out;
    out.brokers = brokers;
    out.topic = "bench";
    out.partitions = kPartitions;
    return out;
}

postgres::Settings table_settings(const std::string& url) {
    static int count = 0;
    postgres::Settings out;
    out.url = url;
    out.schema = "bench_" + std::to_string(++count);
    return out;
}

std::string room_of(int number) { return "r-" + std::to_string(number % kRooms); }
std::string id_of(int number) { return "018f3b5e-7e1a-7cc3-9a53-" + std::to_string(100'000'000'000 + number); }

/// The topic as servers fill it. False: a message was refused.
bool fill(const kafka::Settings& settings) {
    const TempDir dir;
    const auto table = std::move(*log::EmbeddedTable::open(dir.path(), kClock));
    const auto log = std::move(*kafka::KafkaLog::open(settings, {}, *table, kClock));
    std::atomic<int> waiting{0};
    std::atomic<bool> refused{false};
    for (int i = 0; i < kMessages; ++i) {
        Draft draft;
        draft.sender = MemberId::trusted("u-1234567890");
        draft.nickname = "앨리스";
        draft.id = MessageId::trusted(id_of(i));
        draft.content.assign(100, 'x');
        for (int now = ++waiting; now > 20'000; now = waiting) waiting.wait(now);
        log->append({RoomId::trusted(room_of(i)), {std::move(draft)}}, [&](const auto& answer) {
            if (!answer) refused = true;
            --waiting;
            waiting.notify_all();
        });
    }
    for (int now = waiting; now > 0; now = waiting) waiting.wait(now);
    return !refused;
}

/// Rows a second from the first stored to the last.
double written(const kafka::Settings& topic, const postgres::Settings& settings) {
    postgres::PostgresTable table{std::move(*postgres::open_database(settings))};
    std::vector<log::Position> beginnings;
    for (std::uint32_t i = 0; i < kPartitions; ++i) beginnings.push_back({i, 0});
    if (!table.claim({"bench", topic.topic, kPartitions, topic.dedup_window}, beginnings)) return 0;
    kafka::Settings reading = topic;
    reading.group_prefix = settings.schema + ".";
    kafka::TableWriterOptions options;
    options.batch_messages = kBatch;
    const auto writer = std::move(*kafka::TableWriter::open(reading, std::move(options), table));
    const auto wait_for = [&](std::uint64_t count) {
        while (writer->stored() < count && writer->is_running())
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        return steady_clock::now();
    };
    const auto begun = wait_for(1);
    const auto had = writer->stored();
    const auto ended = wait_for(kMessages);
    if (writer->stored() != kMessages) return 0;
    return static_cast<double>(kMessages - had) / std::chrono::duration<double>(ended - begun).count();
}

/// The same rows by COPY, a batch in each statement, whose transaction is durable as the writer's are. The lines are
/// made before.
class Copier {
public:
    explicit Copier(const postgres::Settings& settings) : connection_(PQconnectdb(settings.url.c_str()), PQfinish) {
        const auto pool = postgres::open_database(settings);  // makes the tables
        run("SET search_path = " + settings.schema);
    }
    double rows_a_second(const std::vector<std::string>& batches) {
        const auto begun = steady_clock::now();
        for (const std::string& lines : batches) {
            run("COPY messages (v, type, size, room, seq, created_at, sender, id, nickname, content, extra, part, pos) "
                "FROM STDIN",
                PGRES_COPY_IN);
            PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size()));
            PQputCopyEnd(connection_.get(), nullptr);
            while (PGresult* const result = PQgetResult(connection_.get())) {
                is_good_ = is_good_ && PQresultStatus(result) == PGRES_COMMAND_OK;
                PQclear(result);
            }
        }
        const std::chrono::duration<double> passed = steady_clock::now() - begun;
        return is_good_ ? kMessages / passed.count() : 0;
    }

private:
    void run(const std::string& sql, ExecStatusType expected = PGRES_COMMAND_OK) {
        PGresult* const result = PQexec(connection_.get(), sql.c_str());
        is_good_ = is_good_ && PQresultStatus(result) == expected;
        PQclear(result);
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    bool is_good_ = true;
};

/// As the writer's, whose batches come from one partition for as long as that has something.
std::vector<std::string> make_batches() {
    std::array<std::vector<int>, kPartitions> messages;
    for (int i = 0; i < kMessages; ++i) messages[kafka::partition_of(room_of(i), kPartitions)].push_back(i);
    std::vector<std::string> out;
    int rows = 0;
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
        for (std::size_t offset = 0; offset < messages[partition].size(); ++offset) {
            const int i = messages[partition][offset];
            if (rows++ % kBatch == 0) out.emplace_back();
            out.back() +=
                fmt::format("1\t0\t400\t{}\t{}\t1700000000000\tu-1234567890\t{}\t앨리스\t{}\t\t{}\t{}\n",
                            i % kRooms + 1, i / kRooms + 1, id_of(i), std::string(100, 'x'), partition, offset);
        }
    }
    return out;
}

void BM_DbWriterBesideCopy(benchmark::State& state) {
    const contract::BenchService broker{"kafka"};
    const contract::BenchService database{"postgres"};
    if (broker.url().empty() || database.url().empty()) {
        state.SkipWithError("skipped: Kafka or PostgreSQL cannot be had (tools/setup.sh test)");
        return;
    }
    const auto topic = topic_settings(broker.url());
    if (!fill(topic)) return state.SkipWithError("the topic could not be filled");
    const auto batches = make_batches();
    for (auto _ : state) {
        std::vector<double> ours;
        std::vector<double> theirs;
        std::vector<double> ratios;
        for (int round = 0; round < kRounds; ++round) {
            theirs.push_back(Copier{table_settings(database.url())}.rows_a_second(batches));
            ours.push_back(written(topic, table_settings(database.url())));
            if (ours.back() == 0 || theirs.back() == 0) return state.SkipWithError("rows are missing");
            ratios.push_back(ours.back() / theirs.back());
        }
        state.counters["rows_s"] = contract::median(ours);
        state.counters["copy_s"] = contract::median(theirs);
        state.counters["ratio"] = contract::median(ratios);
    }
}
BENCHMARK(BM_DbWriterBesideCopy)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace parley
