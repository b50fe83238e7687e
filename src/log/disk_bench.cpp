// What the disk gives without the server: the yardstick of bench/durable_rate.sh. The environment sets
// PARLEY_BARE_BATCH (messages in a commit), PARLEY_BARE_RECORD (bytes of a record) and PARLEY_BARE_SECONDS.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/temp_dir.h"
#include "base/uuid.h"
#include "log/bare_loop.h"

namespace parley::log {
namespace {

constexpr std::size_t kRooms = 500;
constexpr std::size_t kSenders = 500;

std::size_t setting(const char* name, std::size_t fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}
Seconds run_time() { return Seconds{static_cast<double>(setting("PARLEY_BARE_SECONDS", 3))}; }

void BM_BareLoop(benchmark::State& state) {
    const std::size_t batch = std::max<std::size_t>(setting("PARLEY_BARE_BATCH", 1000), 1);
    for (auto _ : state)
        state.counters["per_second"] = bare_loop(batch, setting("PARLEY_BARE_RECORD", 180), run_time()).per_second();
}
BENCHMARK(BM_BareLoop)->Iterations(1)->Unit(benchmark::kSecond);

/// fdatasync after each append of one record to a growing file.
void BM_Fdatasync(benchmark::State& state) {
    const std::string record(setting("PARLEY_BARE_RECORD", 180), 'r');
    const SystemClock clock;
    for (auto _ : state) {
        const TempDir dir;
        const int fd = ::open((dir.path() + "/file").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        std::vector<double> ms;
        const SteadyTime begun = clock.steady();
        while (clock.steady() - begun < run_time()) {
            if (::write(fd, record.data(), record.size()) < 0) throw std::runtime_error("the file cannot be written");
            const SteadyTime before = clock.steady();
            if (::fdatasync(fd) != 0) throw std::runtime_error("fdatasync failed");
            ms.push_back(std::chrono::duration<double, std::milli>(clock.steady() - before).count());
        }
        ::close(fd);
        std::sort(ms.begin(), ms.end());
        state.counters["p50_ms"] = ms[ms.size() / 2];
        state.counters["p99_ms"] = ms[(ms.size() - 1) * 99 / 100];
        state.counters["count"] = static_cast<double>(ms.size());
    }
}
BENCHMARK(BM_Fdatasync)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace

BareRun bare_loop(std::size_t batch_size, std::size_t record_size, Seconds time) {
    const TempDir dir;
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    if (!rocksdb::DB::Open(options, dir.path() + "/db", &raw).ok()) throw std::runtime_error("cannot open RocksDB");
    const std::unique_ptr<rocksdb::DB> db{raw};
    rocksdb::WriteOptions durable;
    durable.sync = true;
    const std::string record(record_size, 'r');
    const std::string seen(17, 's');
    const SystemClock clock;
    BareRun run;
    const SteadyTime begun = clock.steady();
    do {
        rocksdb::WriteBatch batch;
        for (std::size_t i = 0; i < batch_size; ++i, ++run.messages) {
            batch.Put(fmt::format("m{:07}{:08}", run.messages % kRooms, run.messages / kRooms), record);
            batch.Put(
                fmt::format("d{:07}u-{}{}", run.messages % kRooms, run.messages % kSenders, make_uuid7(clock.wall())),
                seen);
        }
        if (!db->Write(durable, &batch).ok()) throw std::runtime_error("RocksDB write failed");
        run.took = clock.steady() - begun;
    } while (run.took < time);
    return run;
}

}  // namespace parley::log
