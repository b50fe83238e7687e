#include <benchmark/benchmark.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <thread>

#include "../tests/contract/bench_support.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/kafka/murmur2.h"
#include "adapters/kafka/record.h"
#include "adapters/kafka/topic.h"
#include "base/temp_dir.h"
#include "log/embedded_table.h"

namespace parley::kafka {
namespace {

constexpr int kMessages = 200'000;
constexpr int kInFlight = 20'000;
constexpr int kRooms = 64;
constexpr int kRounds = 5;
constexpr std::uint32_t kPartitions = 6;

/// A topic of its own each time.
Settings fresh_settings(const std::string& brokers) {
    static int count = 0;
    Settings out;
    out.brokers = brokers;
    out.topic = "bench-" + std::to_string(++count);
    out.partitions = kPartitions;
    return out;
}

/// How many are through, and those who wait for it.
class Passed {
public:
    void add(int count) {
        passed_ += count;
        passed_.notify_all();
    }
    void wait_for(int count) {
        for (int now = passed_; now < count; now = passed_) passed_.wait(now);
    }

private:
    std::atomic<int> passed_{0};
};

log::AppendRequest request_of(int number) {
    Draft draft;
    draft.sender = MemberId::trusted("u-1234567890");
    draft.nickname = "앨리스";
    draft.id = MessageId::trusted("018f3b5e-7e1a-7cc3-9a53-" + std::to_string(100'000'000'000 + number));
    draft.content.assign(100, 'x');
    return {RoomId::trusted("r-" + std::to_string(number % kRooms)), {std::move(draft)}};
}

double per_second(std::chrono::steady_clock::time_point begun) {
    return kMessages / std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// Messages a second from append() to its answer: stored by the broker, read back, numbered.
double appended(const Settings& settings) {
    const TempDir dir;
    const SystemClock clock;
    const auto table = std::move(*log::EmbeddedTable::open(dir.path(), clock));
    const auto log = std::move(*KafkaLog::open(settings, {}, *table, clock));
    std::atomic<int> refused{0};
    Passed passed;
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < kMessages; ++i) {
        log->append(request_of(i), [&](Result<std::vector<log::Appended>> answer) {
            if (!answer) ++refused;
            passed.add(1);
        });
        if (i >= kInFlight) passed.wait_for(i - kInFlight);
    }
    passed.wait_for(kMessages);
    return refused == 0 ? per_second(begun) : 0;
}

rd_kafka_conf_t* conf_of(const Settings& settings, const Client::Properties& properties) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", settings.brokers.c_str(), nullptr, 0);
    for (const auto& [name, value] : properties) rd_kafka_conf_set(conf, name.c_str(), value.c_str(), nullptr, 0);
    return conf;
}

/// The same records through librdkafka alone, with the same settings: produced by one thread, delivery told to another,
/// consumed from all partitions by a third, which looks at nothing.
class BareLoop {
public:
    explicit BareLoop(const Settings& settings) {
        rd_kafka_conf_t* const producing = conf_of(settings, {{"acks", "all"},
                                                              {"enable.idempotence", "true"},
                                                              {"linger.ms", std::to_string(settings.linger.count())},
                                                              {"batch.size", std::to_string(settings.batch.count)},
                                                              {"compression.type", settings.compression},
                                                              {"queue.buffering.max.messages", "1000000"},
                                                              {"queue.buffering.max.kbytes", "524288"}});
        rd_kafka_conf_set_opaque(producing, &delivered_);
        rd_kafka_conf_set_dr_msg_cb(producing, [](rd_kafka_t*, const rd_kafka_message_t* message, void* delivered) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<Passed*>(delivered)->add(1);
        });
        producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, producing, nullptr, 0);
        consumer_ = rd_kafka_new(
            RD_KAFKA_CONSUMER,
            conf_of(settings, {{"fetch.wait.max.ms", "100"}, {"queued.max.messages.kbytes", "16384"}}), nullptr, 0);
        to_ = rd_kafka_topic_new(producer_, settings.topic.c_str(), nullptr);
        from_ = rd_kafka_topic_new(consumer_, settings.topic.c_str(), nullptr);
        queue_ = rd_kafka_queue_new(consumer_);
        for (std::uint32_t i = 0; i < kPartitions; ++i)
            rd_kafka_consume_start_queue(from_, static_cast<std::int32_t>(i), RD_KAFKA_OFFSET_BEGINNING, queue_);
        polling_ = std::thread{[this] {
            while (!stopping_) rd_kafka_poll(producer_, 50);
        }};
        consuming_ = std::thread{[this] { consume(); }};
    }
    ~BareLoop() {
        stopping_ = true;
        polling_.join();
        consuming_.join();
        for (std::uint32_t i = 0; i < kPartitions; ++i) rd_kafka_consume_stop(from_, static_cast<std::int32_t>(i));
        rd_kafka_queue_destroy(queue_);
        rd_kafka_topic_destroy(from_);
        rd_kafka_topic_destroy(to_);
        rd_kafka_destroy(consumer_);
        rd_kafka_destroy(producer_);
    }
    void send(const OutRecord& record) {
        rd_kafka_headers_t* const headers = rd_kafka_headers_new(record.headers.size());
        for (const auto& [name, value] : record.headers)
            rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                                static_cast<ssize_t>(value.size()));
        rd_kafka_producev(producer_, RD_KAFKA_V_RKT(to_),
                          RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(partition_of(record.key, kPartitions))),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    }
    void wait_for(int count) {
        delivered_.wait_for(count);
        consumed_.wait_for(count);
    }

private:
    void consume() {
        std::array<rd_kafka_message_t*, 1000> messages{};
        while (!stopping_) {
            const auto count = rd_kafka_consume_batch_queue(queue_, 20, messages.data(), messages.size());
            int records = 0;
            for (ssize_t i = 0; i < count; ++i) {
                records += messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
                rd_kafka_message_destroy(messages[i]);
            }
            if (records > 0) consumed_.add(records);
        }
    }

    Passed delivered_;
    Passed consumed_;
    std::atomic<bool> stopping_{false};
    rd_kafka_t* producer_ = nullptr;
    rd_kafka_t* consumer_ = nullptr;
    rd_kafka_topic_t* to_ = nullptr;
    rd_kafka_topic_t* from_ = nullptr;
    rd_kafka_queue_t* queue_ = nullptr;
    std::thread polling_;
    std::thread consuming_;
};

/// `records` are made before: the yardstick encodes nothing.
double produced_and_consumed(const Settings& settings, const std::vector<OutRecord>& records) {
    BareLoop loop{settings};
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < kMessages; ++i) {
        loop.send(records[static_cast<std::size_t>(i)]);
        if (i >= kInFlight) loop.wait_for(i - kInFlight);
    }
    loop.wait_for(kMessages);
    return per_second(begun);
}

/// In turns, each round on a topic of its own.
void BM_AppendBesideBareLibrdkafka(benchmark::State& state) {
    const contract::BenchService broker{"kafka"};
    if (broker.url().empty()) {
        state.SkipWithError("skipped: Kafka cannot be had (tools/setup.sh test)");
        return;
    }
    std::vector<OutRecord> records;
    for (int i = 0; i < kMessages; ++i) records.push_back(encode(request_of(i), WallTime{}, {1, 1}));
    for (auto _ : state) {
        std::vector<double> ours;
        std::vector<double> theirs;
        std::vector<double> ratios;
        for (int round = 0; round < kRounds; ++round) {
            const Settings settings = fresh_settings(broker.url());
            const auto client = std::move(*Client::open(Client::Kind::kConsumer, settings, {}, nullptr));
            if (!open_topic(*client, settings)) return state.SkipWithError("the topic cannot be made");
            theirs.push_back(produced_and_consumed(settings, records));
            ours.push_back(appended(fresh_settings(broker.url())));
            ratios.push_back(ours.back() / theirs.back());
        }
        state.counters["messages_s"] = contract::median(ours);
        state.counters["bare_s"] = contract::median(theirs);
        state.counters["ratio"] = contract::median(ratios);
    }
}
BENCHMARK(BM_AppendBesideBareLibrdkafka)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace parley::kafka
